import { number, text, texts, traitSchema } from './schema.ts';

/** Memory, swap and file systems. */
export const storageTraits = [
  traitSchema({
    name: 'memory',
    refresh: 'volatile',
    summary: 'Use of memory.',
    source: '`/proc/meminfo`',
    told: 'when `percent` moved by 10, else hourly',
    fields: {
      total_bytes: number('bytes', 'all memory'),
      free_bytes: number('bytes', 'not used for anything'),
      available_bytes: number('bytes', 'what programs can still get'),
      used_bytes: number('bytes', 'total less available'),
      buffers_bytes: number('bytes', 'buffers of block devices'),
      cached_bytes: number('bytes', 'page cache'),
      percent: number('percent', 'used, 0 to 100'),
    },
  }),
  traitSchema({
    name: 'swap',
    refresh: 'volatile',
    summary: 'Swap space and its use.',
    source: '`/proc/swaps`',
    told: 'when a device comes or goes or `percent` moved by 10, else hourly',
    fields: {
      total_bytes: number('bytes', 'all swap space'),
      used_bytes: number('bytes', 'used'),
      free_bytes: number('bytes', 'not used'),
      percent: number('percent', 'used, 0 to 100; 0 without swap'),
      'devices[].path': text('device or file'),
      'devices[].type': text('partition or file'),
      'devices[].size_bytes': number('bytes', 'its size'),
      'devices[].used_bytes': number('bytes', 'used of it'),
      'devices[].priority': number('', 'higher ones are used first'),
    },
  }),
  traitSchema({
    name: 'mountpoints',
    refresh: 'volatile',
    summary: 'What is mounted where; the kernel’s own file systems are left out.',
    source: '`/proc/self/mounts`. Network mounts have no sizes: a dead one would never answer',
    told: 'when a mount changes or its `percent` moved by 10, else hourly',
    fields: {
      '*.device': text('what is mounted'),
      '*.fstype': text('type of the file system'),
      '*.options': text('mount options, separated by commas'),
      '*.size_bytes': number('bytes', 'size'),
      '*.used_bytes': number('bytes', 'used'),
      '*.available_bytes': number('bytes', 'what ordinary users can still write'),
      '*.percent': number('percent', 'used of what ordinary users can use, 0 to 100, rounded up'),
    },
  }),
  traitSchema({
    name: 'filesystem',
    refresh: 'volatile',
    summary: 'File system types that the kernel knows, and the use of inodes.',
    source: '`/proc/filesystems`, `/proc/self/mounts`',
    told: 'when the types or mounts change or a `percent` moved by 10, else hourly',
    fields: {
      supported: texts('types that can hold a device now, sorted'),
      'inodes.*.total': number('', 'inodes of the file system at a mount point'),
      'inodes.*.used': number('', 'used ones'),
      'inodes.*.percent': number('percent', 'used, 0 to 100, rounded up'),
    },
  }),
];
