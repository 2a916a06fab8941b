// A process of this program that reads foreign pixels and can do little else: what Swift cannot say in system calls of
// variable arguments.
#pragma once

#include <stdint.h>
#include <sys/types.h>

/// What a process may use. Bytes, seconds of processor time, and numbers.
typedef struct {
    /// Address space, beyond what the process has when it enters.
    uint64_t addressBytes;
    /// One file, which is the shared memory.
    uint64_t fileBytes;
    /// Processor time of the whole life of the process; beyond it the kernel kills.
    uint64_t cpuSeconds;
    /// Open descriptors.
    uint64_t descriptors;
} hilum_sandbox_limits;

/// Puts the limits on the calling process, drops the right to gain rights, and lets no system call pass but those for
/// memory, time and the descriptors that are open. Bits of what is in force: 1 the limits, 2 the filter of system calls.
/// Nothing of it can be taken back. `statm` is what `hilum_sandbox_statm` gave.
int hilum_sandbox_enter(const hilum_sandbox_limits *_Nonnull limits, int statm);

/// A descriptor that tells the memory of the calling process, to be opened before its sandbox. -1 with errno.
int hilum_sandbox_statm(void);

/// Bytes of memory that the calling process has now; 0 where that cannot be told. What `getrusage` has as the most that
/// there ever was counts the program that started the process too.
uint64_t hilum_sandbox_resident(int statm);

/// Tries what a sandbox forbids, inside of one. Bits of what passed all the same: 1 a socket, 2 a file, 4 another process,
/// 8 memory that can be run, 16 a signal to `parent`, the process that started this one.
int hilum_sandbox_probe(pid_t parent);

/// Shared memory without a name, empty, closed on exec. -1 with errno.
int hilum_sandbox_memory(void);

/// Starts `path` with `arguments` (NULL-terminated) and `environment`: its descriptor 0 is `channel`, its 3 is `memory`,
/// 1 and 2 are /dev/null, all others are closed, no signal is blocked or ignored. 0, or an errno.
int hilum_sandbox_spawn(
    pid_t *_Nonnull pid, const char *_Nonnull path, char *_Nullable const *_Nonnull arguments,
    char *_Nullable const *_Nonnull environment, int channel, int memory);

/// Two ends of a stream, both closed on exec. 0, or an errno.
int hilum_sandbox_channel(int ends[_Nonnull 2]);
