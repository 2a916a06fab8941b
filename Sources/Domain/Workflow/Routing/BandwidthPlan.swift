/// When a destination is sent anything, and how much in a second.
package struct BandwidthPlan: Sendable {
    /// A part of each day, by the site's clock.
    package struct Window: Sendable, Hashable {
        /// Minutes since midnight, 0 to 1,439. One that ends where it begins lasts all day; one that ends before it
        /// begins goes over midnight.
        package let start: Int
        package let end: Int
        /// At least ``BandwidthPlan/bytesPerSecondMin``; nil for as many as go.
        package let bytesPerSecond: Int?

        package init(start: Int, end: Int, bytesPerSecond: Int? = nil) {
            self.start = start
            self.end = end
            self.bytesPerSecond = bytesPerSecond
        }

        /// - Parameter minute: since midnight.
        func contains(_ minute: Int) -> Bool {
            if start == end { return true }
            return start < end ? (start..<end).contains(minute) : minute >= start || minute < end
        }
    }

    package enum State: Sendable, Hashable {
        case open(bytesPerSecond: Int?)
        /// Seconds until it opens.
        case closed(seconds: Int64)
    }

    /// Slower, a large object takes longer than an attempt may, and a peer thinks that nothing comes any more.
    package static let bytesPerSecondMin = 64 << 10
    private static let minutesOfDay = 1_440

    private let windows: [Window]
    private let offsetMinutes: @Sendable (_ secondsUTC: Int) -> Int

    /// - Parameters:
    ///   - windows: the first that a time lies in counts; none for always, as much as goes.
    ///   - offsetMinutes: of the site's clock, east of UTC, at a moment in seconds since 1970.
    package init(_ windows: [Window] = [], offsetMinutes: @escaping @Sendable (_ secondsUTC: Int) -> Int = { _ in 0 }) {
        self.windows = windows
        self.offsetMinutes = offsetMinutes
    }

    package func state(at time: UTCInstant) -> State {
        if windows.isEmpty { return .open(bytesPerSecond: nil) }
        let seconds = Int(time.microseconds / 1_000_000)
        let minute = self.minute(at: seconds)
        if let window = windows.first(where: { $0.contains(minute) }) {
            return .open(bytesPerSecond: window.bytesPerSecond)
        }
        // The clocks are changed by whole minutes, so that each is looked at as the clock shows it.
        let next = seconds / 60 * 60 + 60
        for ahead in 0..<Self.minutesOfDay * 2 {
            let moment = next + ahead * 60
            let minute = self.minute(at: moment)
            if windows.contains(where: { $0.contains(minute) }) {
                return .closed(seconds: Int64(moment - seconds))
            }
        }
        return .closed(seconds: 3_600)
    }

    private func minute(at seconds: Int) -> Int {
        let minutes = (seconds / 60 + offsetMinutes(seconds)) % Self.minutesOfDay
        return minutes < 0 ? minutes + Self.minutesOfDay : minutes
    }
}
