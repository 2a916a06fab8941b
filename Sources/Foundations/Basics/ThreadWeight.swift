#if canImport(Glibc)
    import Glibc
#endif

/// What part of the processors a thread gets where there is not enough for all. On Linux a thread has one of its own;
/// elsewhere it is the process's, which stays.
package enum ThreadWeight: Sendable {
    case normal
    /// About a tenth of a normal thread's.
    case low
    /// What all others leave; a thread of another weight that becomes ready takes the processor at once.
    case lowest

    /// Linux's SCHED_IDLE, which its headers show to GNU programs only; sched(7).
    private static let idlePolicy: Int32 = 5

    /// Gives the weight to the calling thread, which can not get a higher one afterwards.
    package func take() {
        #if canImport(Glibc)
            switch self {
            case .normal: break
            case .low: _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
            case .lowest:
                var parameter = sched_param(sched_priority: 0)
                _ = sched_setscheduler(0, Self.idlePolicy, &parameter)
            }
        #endif
    }
}
