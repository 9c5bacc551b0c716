#!/bin/sh
echo "# TYPE node_logins gauge"
echo "node_logins $(who | wc -l)"
