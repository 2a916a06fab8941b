#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "CPixelSandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

int hilum_sandbox_memory(void) { return memfd_create("hilum-pixels", MFD_CLOEXEC); }

int hilum_sandbox_channel(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : errno;
}

int hilum_sandbox_spawn(
    pid_t *pid, const char *path, char *const *arguments, char *const *environment, int channel, int memory) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    sigemptyset(&none);
    sigfillset(&all);
    // First out of the way of 0 and 3, which one of the two may be.
    int high = fcntl(channel, F_DUPFD_CLOEXEC, 10);
    int far = fcntl(memory, F_DUPFD_CLOEXEC, 10);
    if (high < 0 || far < 0) error = errno;
    if (!error) error = posix_spawn_file_actions_adddup2(&actions, high, 0);
    if (!error) error = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (!error) error = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (!error) error = posix_spawn_file_actions_adddup2(&actions, far, 3);
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, 4);
    if (!error) error = posix_spawnattr_setsigmask(&attributes, &none);
    if (!error) error = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!error)
        error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (!error) error = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
    if (high >= 0) close(high);
    if (far >= 0) close(far);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/// The memory of this process in bytes, all of it and what of it is resident; 0 where that cannot be told.
static void memory_in_use(int statm, uint64_t *whole, uint64_t *resident) {
    char text[64] = {0};
    unsigned long long pages[2] = {0, 0};
    if (statm < 0 || pread(statm, text, sizeof text - 1, 0) <= 0 || sscanf(text, "%llu %llu", &pages[0], &pages[1]) != 2)
        pages[0] = pages[1] = 0;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    *whole = pages[0] * page;
    *resident = pages[1] * page;
}

int hilum_sandbox_statm(void) { return open("/proc/self/statm", O_RDONLY | O_CLOEXEC); }

uint64_t hilum_sandbox_resident(int statm) {
    uint64_t whole, resident;
    memory_in_use(statm, &whole, &resident);
    return resident;
}

static int limit(int what, uint64_t value) {
    struct rlimit wanted = {value, value}, now;
    if (getrlimit(what, &now) == 0 && now.rlim_max != RLIM_INFINITY && now.rlim_max < value)
        wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
    return setrlimit(what, &wanted);
}

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#else
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define ALLOW(name) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static int filter_calls(void) {
    const struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        // The descriptors that are open; the one socket among them is a pair's end and sends to nobody else.
        ALLOW(read), ALLOW(write), ALLOW(sendto), ALLOW(pread64), ALLOW(pwrite64), ALLOW(ftruncate), ALLOW(fstat), ALLOW(close),
        // Memory; what makes it code is looked at below.
        ALLOW(munmap), ALLOW(mremap), ALLOW(madvise), ALLOW(brk),
        // Waiting and the end.
        ALLOW(futex), ALLOW(sched_yield), ALLOW(restart_syscall), ALLOW(exit), ALLOW(exit_group),
        ALLOW(rt_sigreturn), ALLOW(rt_sigprocmask), ALLOW(rt_sigaction), ALLOW(sigaltstack), ALLOW(getpid),
        ALLOW(gettid),
        // Time and numbers.
        ALLOW(clock_gettime), ALLOW(clock_nanosleep), ALLOW(gettimeofday), ALLOW(getrusage), ALLOW(getrandom),
#if defined(__NR_rseq)
        ALLOW(rseq),
#endif
        // A signal to a thread of this process, by which abort ends it, and to no other's: the process is the first
        // argument, of which the kernel takes 32 bits.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_tgkill, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        // mmap and mprotect, but for memory that can be run: the protection is the third argument of both.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mmap, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mprotect, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof program[0], .filter = (struct sock_filter *)program};
    // All threads of the process, those that a library started too.
    if (syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0) return 0;
    // Better than none, and not what was promised: of this thread alone.
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
    return -1;
}
#else
static int filter_calls(void) { return -1; }
#endif

int hilum_sandbox_enter(const hilum_sandbox_limits *limits, int statm) {
    int done = 0;
    int failed = 0;
    // What the program and its libraries have mapped is not counted against the pixels.
    uint64_t whole, resident;
    memory_in_use(statm, &whole, &resident);
    failed |= limit(RLIMIT_AS, whole + limits->addressBytes);
    failed |= limit(RLIMIT_CPU, limits->cpuSeconds);
    failed |= limit(RLIMIT_FSIZE, limits->fileBytes);
    failed |= limit(RLIMIT_NOFILE, limits->descriptors);
    failed |= limit(RLIMIT_NPROC, 0);
    failed |= limit(RLIMIT_CORE, 0);
    if (failed == 0) done |= 1;
#if defined(__linux__)
    prctl(PR_SET_DUMPABLE, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && filter_calls() == 0) done |= 2;
#endif
    return done;
}

int hilum_sandbox_probe(pid_t parent) {
    int passed = 0;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (descriptor >= 0) {
        passed |= 1;
        close(descriptor);
    }
    descriptor = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) {
        passed |= 2;
        close(descriptor);
    }
    pid_t child = fork();
    if (child == 0) _exit(0);
    if (child > 0) passed |= 4;
    void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code != MAP_FAILED) passed |= 8;
    if (kill(parent, 0) == 0) passed |= 16;
#if defined(__linux__)
    if (syscall(__NR_tgkill, parent, parent, 0) == 0) passed |= 16;
#endif
    return passed;
}
