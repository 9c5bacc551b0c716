import type { AgentErrorEntry } from './entry.ts';

/** What the executors of resource types refuse and fail with; part of the registry of agent/errors.ts. */
export const resourceErrors = {
  AGENT_PACKAGE_LOCKED: {
    message: 'Another program holds the package database',
    remedy: 'Nothing to do if it ends by itself; the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_PACKAGE_REPOSITORY: {
    message: 'A package repository cannot be used',
    remedy: 'Check the package sources, their keys and the network on the node.',
    outcome: 'blocked',
  },
  AGENT_PACKAGE_UNKNOWN: {
    message: 'No such package or version',
    remedy: 'Check the name and version; set update_cache when the lists may be old.',
  },
  AGENT_PACKAGE_HOLD: {
    message: 'The package manager has nothing to hold a version with',
    remedy: 'Install python3-dnf-plugin-versionlock (yum-plugin-versionlock) on the node.',
  },
  AGENT_PACKAGE_FAILED: {
    message: 'The package manager failed',
    remedy: 'Run the same operation by hand on the node and read its output.',
  },
  AGENT_IMPORT_REFUSED: {
    message: '{what} cannot be imported: {why}',
    remedy: 'Choose something else, or write the resource by hand.',
  },
  AGENT_PACKAGE_MANAGER_MISSING: {
    message: 'No supported package manager on this machine',
    remedy: 'Guard the resource with a condition such as os_family.',
  },
  AGENT_DISK_FULL: {
    message: 'No space is left on the device',
    remedy: 'Free space on the node; the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_SERVICE_MANAGER_MISSING: {
    message: 'No supported service manager runs on this machine',
    remedy: 'Guard the resource with a condition; systemd, OpenRC, runit or SysV must run here.',
  },
  AGENT_SERVICE_UNKNOWN: {
    message: 'The service does not exist',
    remedy: 'Let it depend on the package that brings it, or correct the name.',
  },
  AGENT_SERVICE_FAILED: {
    message: 'The service did not do as told',
    remedy:
      'Read its status and log on the node: systemctl status and journalctl -u, rc-service, sv or its init script.',
  },
  AGENT_ACCOUNT_MANAGER_MISSING: {
    message: 'No supported tool for users and groups on this machine',
    remedy: 'Install the package passwd, or guard the resource with a condition.',
  },
  AGENT_ACCOUNT_FAILED: {
    message: 'The account tool failed',
    remedy: 'Run the same operation by hand on the node and read its output.',
  },
  AGENT_ACCOUNT_LOCKED: {
    message: 'Another program holds the account files',
    remedy: 'Nothing to do if it ends by itself; the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_GROUP_UNKNOWN: {
    message: 'The group does not exist',
    remedy: 'Declare the group and let this resource depend on it.',
  },
  AGENT_USER_UNKNOWN: {
    message: 'The user does not exist',
    remedy: 'Declare the user and let this resource depend on it.',
  },
  AGENT_COMMAND_TIMEOUT: {
    message: 'A command did not end in time',
    remedy: 'Raise the time limit of the resource or find out what hangs.',
  },
  AGENT_PATH_INVALID: {
    message: 'The path must be absolute, without NUL, and at most 4096 bytes long',
    remedy: 'Correct the path in the stack.',
  },
  AGENT_PATH_LOOP: {
    message: 'The path leads through too many symbolic links',
    remedy: 'Remove the loop of links on the node.',
  },
  AGENT_PATH_OCCUPIED: {
    message: 'Something of another kind is at the path',
    remedy: 'Move it away by hand, or declare its removal first; nothing was changed.',
  },
  AGENT_LINK_NOT_TRUSTED: {
    message: 'A link of another user is where a directory is declared',
    remedy: 'Remove the link, or declare the directory that it points to.',
  },
  AGENT_PATH_MISSING: {
    message: 'A file that the resource needs is not there',
    remedy: 'Declare what creates it, and let this resource depend on that.',
  },
  AGENT_REGION_MISSING: {
    message: 'No line matches region_start, so there is no place for the edit',
    remedy: 'Correct the expression, or declare what writes the region first.',
  },
  AGENT_LINE_MISSING: {
    message: 'No line matches, so there is nothing to edit',
    remedy: 'Correct the expression, or declare what writes the line first.',
  },
  AGENT_FIELD_MISSING: {
    message: 'The line has too few fields',
    remedy: 'Correct select_field or field_separator, or set extend_fields.',
  },
  AGENT_EDIT_NOT_STABLE: {
    message: 'The edit would change its own result again on the next pass, so it was not made',
    remedy: 'Let the pattern match only what is wrong, not what the edit makes of it.',
  },
  AGENT_FILE_NOT_JSON: {
    message: 'The file is not JSON, so a value in it cannot be edited',
    remedy: 'Repair the file at the named line, or manage all of it with the type file.',
  },
  AGENT_STRUCTURE_MISMATCH: {
    message: 'The structure of the file does not fit the key',
    remedy: 'Correct the key, or the file on the node; nothing was changed.',
  },
  AGENT_SYSCTL_UNKNOWN: {
    message: 'The kernel has no such setting',
    remedy: 'Correct the key, or declare the kernel_module that brings it first.',
  },
  AGENT_SYSCTL_REFUSED: {
    message: 'The kernel refuses this value',
    remedy: 'Look up which values the setting takes; nothing was written.',
  },
  AGENT_TIMEZONE_UNKNOWN: {
    message: 'The node does not know this time zone',
    remedy: 'Correct the name, or declare the package tzdata first.',
  },
  AGENT_TMPFILE_FAILED: {
    message: 'systemd-tmpfiles could not carry out the entry',
    remedy: 'Read its output in the detail; the entry is checked again in the next pass.',
  },
  AGENT_MODULE_BUILT_IN: {
    message: 'The module is built into the kernel and cannot be removed',
    remedy: 'Remove the resource, or run another kernel.',
  },
  AGENT_MODULE_IN_USE: {
    message: 'The module is in use and cannot be unloaded now',
    remedy: 'Stop what uses it; the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_MODULE_UNKNOWN: {
    message: 'The running kernel has no such module',
    remedy: 'Correct the name; after a kernel upgrade, reboot into it first.',
  },
  AGENT_ALTERNATIVE_UNKNOWN: {
    message: 'There is no such group of alternatives',
    remedy: 'Give link, so that the group can be made, or declare the package that brings it.',
  },
  AGENT_ALTERNATIVE_FAILED: {
    message: 'update-alternatives failed',
    remedy: 'Check that the program at path exists, and read the detail.',
  },
  AGENT_MOUNT_BUSY: {
    message: 'The file system is in use and cannot be unmounted now',
    remedy: 'Stop what uses it (fuser -vm shows it); the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_MOUNT_FAILED: {
    message: 'The file system could not be mounted or unmounted',
    remedy: 'Run the same by hand on the node; dmesg often tells more.',
  },
  AGENT_SWAP_FAILED: {
    message: 'The swap area could not be made or used',
    remedy: 'Read the detail; some file systems cannot hold a swap file.',
  },
  AGENT_PROCESS_NO_START: {
    message: 'Too few processes run, and nothing says how to start one',
    remedy: 'Give restart_unit or restart_method.',
  },
  AGENT_PROCESS_EXCESS: {
    message: 'More processes run than declared, and kill_timeout is false',
    remedy: 'Find out who starts them, or let the resource end them.',
  },
  AGENT_FIREWALL_MISSING: {
    message: 'No supported firewall is installed',
    remedy: 'Declare the package nftables first, or guard the resource with a condition.',
  },
  AGENT_FIREWALL_FAILED: {
    message: 'The firewall refused the rule',
    remedy: 'Run the same by hand on the node and read its output.',
  },
  AGENT_FIREWALL_BUSY: {
    message: 'Another program holds the firewall, or it is not running',
    remedy: 'Nothing to do if it ends by itself; the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_FIREWALL_UNSUPPORTED: {
    message: 'This firewall cannot express the rule',
    remedy: 'Guard the resource with a condition, or write the rule by other means.',
  },
  AGENT_GIT_REMOTE: {
    message: 'The remote repository cannot be reached',
    remedy: 'Check the address, the network and the credentials; the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_GIT_REFERENCE: {
    message: 'The remote repository has no such branch or tag',
    remedy: 'Correct branch, or push it first.',
  },
  AGENT_GIT_LOCAL_CHANGES: {
    message: 'The working copy was changed on the node, and force is not set',
    remedy: 'Save the changes and remove them, or set force to throw them away.',
  },
  AGENT_GIT_FAILED: {
    message: 'git failed',
    remedy: 'Run the same by hand on the node and read its output.',
  },
  AGENT_DOWNLOAD_FAILED: {
    message: 'A download did not succeed',
    remedy: 'Check the URL and the network of the node; the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_ARCHIVE_INVALID: {
    message: 'The archive cannot be read',
    remedy: 'Check that the URL leads to a whole tar.gz, tar.bz2, tar.xz, tar or zip archive.',
  },
  AGENT_ARCHIVE_UNSAFE: {
    message: 'The archive was refused, and nothing of it was written',
    remedy: 'Do not trust its source; pack it anew without links and names that lead out of it.',
  },
  AGENT_CHECKSUM_MISMATCH: {
    message: 'What was downloaded is not what is declared',
    remedy: 'Compare sha256 with what the vendor publishes; nothing was installed.',
  },
  AGENT_KEY_REFUSED: {
    message: 'The key of the package source was refused',
    remedy: 'Compare the fingerprint with the one that the vendor publishes; nothing was written.',
  },
  AGENT_SCRIPT_NOT_TRUSTED: {
    message: 'The script can be changed by others than root',
    remedy: 'Give it to root with mode 0755; nothing was run.',
  },
  AGENT_SCRIPT_FAILED: {
    message: 'The script failed',
    remedy: 'Run it by hand with the same JSON on its standard input.',
  },
  AGENT_SCRIPT_ANSWER: {
    message: 'The script did not answer as it should',
    remedy: 'It must print one JSON object with "action" or "changed", and nothing else.',
  },
  AGENT_FILE_TOO_LARGE: {
    message: 'The file is larger than this resource type may edit',
    remedy: 'Manage the file by other means; limits are in docs/limits.md.',
  },
  AGENT_FILE_NOT_TEXT: {
    message: 'The file is not UTF-8 text, so lines in it cannot be edited safely',
    remedy: 'Manage the whole file with the type file.',
  },
  AGENT_TREE_TOO_LARGE: {
    message: 'The tree holds more entries than recurse may visit',
    remedy: 'Narrow the path, or set owner and mode by a command with a guard.',
  },
  AGENT_READ_ONLY_FILE_SYSTEM: {
    message: 'The file system is mounted read-only',
    remedy: 'Find out why (often a disk error) and mount it writable; the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_RESOURCES_EXHAUSTED: {
    message: 'The node is out of processes, memory or open files',
    remedy: 'Find what uses them up; the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_PERMISSION_DENIED: {
    message: 'The agent may not do this',
    remedy: 'Run the agent as root, or confine it to a root that it owns.',
  },
  AGENT_COMMAND_MISSING: {
    message: 'A program that the resource needs is not installed',
    remedy: 'Declare its package, and let this resource depend on it.',
    outcome: 'blocked',
  },
  AGENT_COMMAND_FAILED: {
    message: 'The command failed',
    remedy: 'Run it by hand on the node, or list its exit code in returns.',
  },
  AGENT_VALIDATION_FAILED: {
    message: 'The validate command refused the new content, so it was not written',
    remedy: 'Correct the content; the old file is untouched.',
  },
  AGENT_SYSTEM_CALL: {
    message: 'A call to the operating system failed',
    remedy: 'Read the error name in the detail; errno(3) explains it.',
  },
} as const satisfies Record<string, AgentErrorEntry>;
