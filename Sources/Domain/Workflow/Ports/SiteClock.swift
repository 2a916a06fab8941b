import Basics

/// The clocks on the site's walls: what a modality is told of a time has no zone of its own. PS3.4 §K.6.1.2.2.
package struct SiteClock: Sendable, Hashable {
    /// The IANA name of the zone; two clocks of one name are equal.
    package let zone: String
    private let offsetMinutes: @Sendable (_ secondsUTC: Int) -> Int

    /// - Parameter offsetMinutes: minutes east of UTC at a moment in seconds since 1970.
    package init(zone: String, offsetMinutes: @escaping @Sendable (_ secondsUTC: Int) -> Int) {
        self.zone = zone
        self.offsetMinutes = offsetMinutes
    }

    package static func == (a: SiteClock, b: SiteClock) -> Bool { a.zone == b.zone }
    package func hash(into hasher: inout Hasher) { hasher.combine(zone) }

    /// The same moment as these clocks show it. A date, a time without an offset, and what is no time stay as they are.
    package func shown(_ time: PartialDateTime) -> PartialDateTime {
        guard let moment = Moment(time.text) else { return time }
        let offset = offsetMinutes(moment.secondsUTC)
        if offset == moment.offsetMinutes { return time }
        return PartialDateTime(moment.text(offsetMinutes: offset))
    }

    /// A moment read from `YYYY-MM-DDThh:mm[:ss[.f]]` with `Z` or `±hh:mm`.
    private struct Moment {
        var secondsUTC: Int
        var offsetMinutes: Int
        private var hasSeconds: Bool
        /// With its point; empty for none.
        private var fraction: String

        init?(_ text: String) {
            let bytes = Array(text.utf8)
            func number(_ start: Int, _ count: Int) -> Int? {
                guard start + count <= bytes.count else { return nil }
                return bytes[start..<(start + count)].reduce(0) { value, byte in
                    value.flatMap { (48...57).contains(byte) ? $0 * 10 + Int(byte - 48) : nil }
                }
            }
            func isAt(_ index: Int, _ character: Unicode.Scalar) -> Bool {
                index < bytes.count && bytes[index] == UInt8(ascii: character)
            }
            guard let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
                let minute = number(14, 2), isAt(4, "-"), isAt(7, "-"), isAt(10, "T"), isAt(13, ":"),
                (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60
            else { return nil }
            var index = 16
            var second = 0
            hasSeconds = isAt(index, ":")
            fraction = ""
            if hasSeconds {
                guard let read = number(17, 2), read < 61 else { return nil }
                second = min(read, 59)
                index = 19
                if isAt(index, ".") {
                    let end = bytes[(index + 1)...].firstIndex { !(48...57).contains($0) } ?? bytes.count
                    fraction = String(decoding: bytes[index..<end], as: UTF8.self)
                    index = end
                }
            }
            if isAt(index, "Z") {
                guard bytes.count == index + 1 else { return nil }
                offsetMinutes = 0
            } else {
                guard isAt(index, "+") || isAt(index, "-"), bytes.count == index + 6, isAt(index + 3, ":"),
                    let hours = number(index + 1, 2), let minutes = number(index + 4, 2), hours < 24, minutes < 60
                else { return nil }
                offsetMinutes = (isAt(index, "-") ? -1 : 1) * (hours * 60 + minutes)
            }
            secondsUTC =
                CivilDate.days(year: year, month: month, day: day) * 86_400 + hour * 3_600 + minute * 60 + second
                - offsetMinutes * 60
        }

        func text(offsetMinutes: Int) -> String {
            let local = secondsUTC + offsetMinutes * 60
            let days = (local - (local % 86_400 + 86_400) % 86_400) / 86_400
            let second = local - days * 86_400
            let (year, month, day) = CivilDate.date(days: days)
            func pad(_ number: Int, _ width: Int = 2) -> String {
                let digits = String(number)
                return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
            }
            var text = "\(pad(year, 4))-\(pad(month))-\(pad(day))T\(pad(second / 3_600)):\(pad(second / 60 % 60))"
            if hasSeconds { text += ":" + pad(second % 60) + fraction }
            let minutes = abs(offsetMinutes)
            return text + (offsetMinutes < 0 ? "-" : "+") + pad(minutes / 60) + ":" + pad(minutes % 60)
        }
    }
}

extension UnitOfWork {
    /// The steps of an order start when the site's clocks say so, whatever zone its sender writes.
    func showStarts(of order: inout ImagingOrder) {
        guard let clock = rules.clock else { return }
        for index in order.steps.indices {
            order.steps[index].scheduledStart = order.steps[index].scheduledStart.map(clock.shown)
        }
    }
}
