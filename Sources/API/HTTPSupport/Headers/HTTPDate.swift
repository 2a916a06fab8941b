import Basics

/// Dates of HTTP headers, in whole seconds since 1970-01-01T00:00:00Z. RFC 9110 §5.6.7.
package enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// The preferred form, `Sun, 06 Nov 1994 08:49:37 GMT`.
    package static func text(secondsSince1970 seconds: Int64) -> String {
        let (day, rest) = floorDivide(seconds, 86_400)
        let (year, month, date) = CivilDate.date(days: Int(day))
        return String(unsafeUninitializedCapacity: 29) { bytes in
            var out = Text(bytes)
            out.put(days[Int(floorDivide(day, 7).remainder)])
            out.put(", ")
            out.put(Int64(date), digits: 2)
            out.put(" ")
            out.put(months[month - 1])
            out.put(" ")
            out.put(Int64(year), digits: 4)
            out.put(" ")
            out.putTime(rest)
            out.put(" GMT")
            return out.count
        }
    }

    /// A moment as RFC 3339 text in UTC with milliseconds, `2026-02-28T23:59:59.250Z`.
    package static func instant(microseconds: Int64) -> String {
        let (seconds, fraction) = floorDivide(microseconds, 1_000_000)
        let (day, rest) = floorDivide(seconds, 86_400)
        let (year, month, date) = CivilDate.date(days: Int(day))
        return String(unsafeUninitializedCapacity: 24) { bytes in
            var out = Text(bytes)
            out.put(Int64(year), digits: 4)
            out.put("-")
            out.put(Int64(month), digits: 2)
            out.put("-")
            out.put(Int64(date), digits: 2)
            out.put("T")
            out.putTime(rest)
            out.put(".")
            out.put(fraction / 1000, digits: 3)
            out.put("Z")
            return out.count
        }
    }

    /// ASCII text of a known length as it is being written.
    private struct Text {
        private let bytes: UnsafeMutableBufferPointer<UInt8>
        private(set) var count = 0

        init(_ bytes: UnsafeMutableBufferPointer<UInt8>) { self.bytes = bytes }

        mutating func put(_ text: String) {
            for byte in text.utf8 {
                bytes[count] = byte
                count += 1
            }
        }

        /// The last digits of a value that is not negative.
        mutating func put(_ value: Int64, digits: Int) {
            var rest = value
            for place in stride(from: count + digits - 1, through: count, by: -1) {
                bytes[place] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
            count += digits
        }

        /// `hh:mm:ss` of a second of a day.
        mutating func putTime(_ second: Int64) {
            put(second / 3600, digits: 2)
            put(":")
            put(second / 60 % 60, digits: 2)
            put(":")
            put(second % 60, digits: 2)
        }
    }

    /// Reads the preferred form. Nil for anything else; a recipient then ignores the header. RFC 9110 §13.1.3.
    package static func seconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 29, bytes[3] == UInt8(ascii: ","), bytes[4] == 0x20, bytes[7] == 0x20, bytes[11] == 0x20,
            bytes[16] == 0x20, bytes[19] == UInt8(ascii: ":"), bytes[22] == UInt8(ascii: ":"),
            String(decoding: bytes[25...], as: UTF8.self) == " GMT",
            let date = number(bytes[5..<7]), let year = number(bytes[12..<16]), let hour = number(bytes[17..<19]),
            let minute = number(bytes[20..<22]), let second = number(bytes[23..<25]),
            let month = months.firstIndex(of: String(decoding: bytes[8..<11], as: UTF8.self)),
            hour < 24, minute < 60, second <= 60, date >= 1
        else { return nil }
        guard date <= CivilDate.length(year: year, month: month + 1) else { return nil }
        let day = CivilDate.days(year: year, month: month + 1, day: date)
        return Int64(day * 86_400 + hour * 3600 + minute * 60 + second)
    }

    /// Reads a date, or a moment as ``instant(microseconds:)`` writes it, the fraction left out or not: `2026-02-28`,
    /// `2026-02-28T23:59:59Z`. A date is its begin in UTC. Nil for anything else.
    package static func microseconds(ofInstant text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let date = number(bytes[8..<10]),
            (1...12).contains(month), date >= 1
        else { return nil }
        guard date <= CivilDate.length(year: year, month: month) else { return nil }
        let day = Int64(CivilDate.days(year: year, month: month, day: date))
        if bytes.count == 10 { return day * 86_400_000_000 }
        guard bytes.count == 20 || (bytes.count == 24 && bytes[19] == UInt8(ascii: ".")),
            bytes.last == UInt8(ascii: "Z"), bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"),
            bytes[16] == UInt8(ascii: ":"), let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]),
            let second = number(bytes[17..<19]), hour < 24, minute < 60, second < 60,
            let fraction = bytes.count == 24 ? number(bytes[20..<23]) : 0
        else { return nil }
        return (day * 86_400 + Int64(hour * 3600 + minute * 60 + second)) * 1_000_000 + Int64(fraction) * 1_000
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            guard (48...57).contains(digit) else { return nil }
            value = value * 10 + Int(digit - 48)
        }
        return value
    }

    private static func floorDivide(_ a: Int64, _ b: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
        return remainder < 0 ? (quotient - 1, remainder + b) : (quotient, remainder)
    }
}
