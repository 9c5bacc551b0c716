#!/bin/sh
echo "# TYPE node_reboot_wanted gauge"
if [ -e /run/reboot-required ]; then echo "node_reboot_wanted 1"; else echo "node_reboot_wanted 0"; fi
