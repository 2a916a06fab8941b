/* Makes system calls on a store's files fail while a file says so: for LD_PRELOAD, built by faults.py.
 *
 * HILUM_FAULTS names the file; it holds `CALL ERRNO PATH`, for example `fsync 5 /blobs/`: that call fails with that errno
 * where the path of the file has PATH in it (`open` of a directory counts as `opendir`). An empty file, or none, lets all pass. It is looked at in every call, so that
 * a running server can be made to fail and to recover. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Raw system calls: the control file must be read without calling ourselves. */
static int fails(const char *call, const char *path) {
    const char *control = getenv("HILUM_FAULTS");
    if (!control || !path) return 0;
    int file = (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC, 0);
    if (file < 0) return 0;
    char text[256] = {0}, name[64] = {0}, part[128] = {0};
    long count = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    int code = 0;
    if (count <= 0 || sscanf(text, "%63s %d %127s", name, &code, part) != 3) return 0;
    if (strcmp(name, call) != 0 || !strstr(path, part)) return 0;
    errno = code;
    return 1;
}

static int descriptor_fails(const char *call, int descriptor) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return fails(call, path);
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

DIR *opendir(const char *path) {
    REAL(DIR *, "opendir", const char *);
    return fails("opendir", path) ? NULL : real(path);
}

static int mode_of(int flags, va_list arguments) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, int) : 0; }

#define OPEN(function) \
    int function(const char *path, int flags, ...) { \
        va_list arguments; \
        va_start(arguments, flags); \
        int mode = mode_of(flags, arguments); \
        va_end(arguments); \
        REAL(int, #function, const char *, int, ...); \
        return fails(flags & O_DIRECTORY ? "opendir" : "open", path) ? -1 : real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define WRITE(function, offset_type) \
    ssize_t function(int descriptor, const void *bytes, size_t count, offset_type offset) { \
        REAL(ssize_t, #function, int, const void *, size_t, offset_type); \
        return descriptor_fails("write", descriptor) ? -1 : real(descriptor, bytes, count, offset); \
    }
WRITE(pwrite, off_t)
WRITE(pwrite64, off64_t)

ssize_t write(int descriptor, const void *bytes, size_t count) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return descriptor_fails("write", descriptor) ? -1 : real(descriptor, bytes, count);
}

int fsync(int descriptor) {
    REAL(int, "fsync", int);
    return descriptor_fails("fsync", descriptor) ? -1 : real(descriptor);
}

int fdatasync(int descriptor) {
    REAL(int, "fdatasync", int);
    return descriptor_fails("fsync", descriptor) ? -1 : real(descriptor);
}

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    return fails("rename", to) ? -1 : real(from, to);
}
