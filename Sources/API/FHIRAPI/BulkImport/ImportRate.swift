/// Whether the bytes of a file come fast enough. It is told anew each time the source was waited for as long as a window
/// lasts, so that what came fast before does not make up for it.
struct ImportRate {
    private let bytesPerSecondMin: Int64
    private let windowSeconds: Int64
    private var bytes: Int64 = 0
    private var waited = Duration.zero

    init(_ limits: ImportLimits) {
        bytesPerSecondMin = Int64(limits.bytesPerSecondMin)
        windowSeconds = Int64(limits.graceSeconds)
    }

    /// Notes bytes that came, and for how long they were waited for. False at the end of a window that had too few.
    mutating func isMet(by count: Int, after time: Duration) -> Bool {
        bytes += Int64(count)
        waited += time
        let seconds = waited.components.seconds
        guard seconds > windowSeconds else { return true }
        defer { (bytes, waited) = (0, .zero) }
        return bytes >= seconds * bytesPerSecondMin
    }
}
