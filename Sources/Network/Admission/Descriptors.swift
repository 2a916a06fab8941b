import Glibc

/// How many file descriptors a process may have, and has.
package struct Descriptors: Sendable {
    /// The soft limit, `RLIMIT_NOFILE`.
    package let limit: Int
    /// Those that are open now.
    package let open: @Sendable () -> Int

    package init(limit: Int, open: @escaping @Sendable () -> Int) {
        self.limit = limit
        self.open = open
    }

    /// Past this many no server needs more, and a count of them grows slow.
    private static let limitMax: rlim_t = 1 << 20

    /// Those of this process, as its limit is when they are asked for.
    package static var process: Descriptors {
        var limits = rlimit()
        let limit = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 ? limits.rlim_cur : 1024
        return Descriptors(limit: Int(min(limit, limitMax)), open: countOpen)
    }

    /// Raises the soft limit to the hard one. Returns the limit from then on.
    @discardableResult
    package static func raise() -> Int {
        var limits = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limits) == 0 else { return process.limit }
        let target = min(limits.rlim_max, limitMax)
        if limits.rlim_cur < target {
            limits.rlim_cur = target
            _ = setrlimit(resource, &limits)
        }
        return process.limit
    }

    /// Entries of `/proc/self/fd`. When that cannot be opened, for want of a descriptor, as many as there may be.
    @Sendable private static func countOpen() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return process.limit }
        defer { closedir(folder) }
        var count = -1  // The folder's own.
        while let entry = readdir(folder) {
            if entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) { count += 1 }
        }
        return count
    }

    /// Microseconds since the machine's start.
    @Sendable package static func monotonicMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
