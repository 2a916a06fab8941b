/// The range that a query key of VR DA, TM or DT asks for: `a-b`, `a-`, `-b`, or a single value. Both ends belong to it;
/// an end that is not given is open. PS3.4 §C.2.2.2.5.
package enum DateTimeRange {
    /// A range of dates; nil when the text is empty, not of DA, or has its ends the wrong way round.
    package static func dates(_ text: some StringProtocol) -> (from: DICOMDate?, to: DICOMDate?)? {
        guard let (from, to) = ends(text, { DICOMDate(text: String(decoding: $0, as: UTF8.self)) }) else { return nil }
        if let from, let to, to < from { return nil }
        return (from, to)
    }

    /// A range of microseconds of the day; an end of less precision takes in all that it may mean. nil as for dates.
    package static func times(_ text: some StringProtocol) -> ClosedRange<Int>? {
        guard let (from, to) = ends(text, { DICOMTime($0) }) else { return nil }
        let low = from?.microsecondsOfDay.lowerBound ?? 0
        // A leap second belongs to the day too.
        let high = to?.microsecondsOfDay.upperBound ?? 86_400_999_999
        return low <= high ? low...high : nil
    }

    /// A range of microseconds since 1970-01-01T00:00Z. A `-` before four digits that are a valid offset is taken for
    /// one, as PS3.5 §6.2 says of DT. nil as for dates.
    package static func dateTimes(_ text: some StringProtocol, localOffsetMinutes: Int = 0) -> ClosedRange<Int>? {
        let bytes = trimmedSpaces(Array(text.utf8)[...], leading: true)
        guard !bytes.isEmpty else { return nil }
        if let single = DICOMDateTime(bytes) { return single.microseconds(localOffsetMinutes: localOffsetMinutes) }
        for dash in bytes.indices where bytes[dash] == 0x2D {
            let (left, right) = (bytes[..<dash], bytes[(dash + 1)...])
            let from = DICOMDateTime(left)
            let to = DICOMDateTime(right)
            guard left.isEmpty || from != nil, right.isEmpty || to != nil, from != nil || to != nil else { continue }
            let low = from?.microseconds(localOffsetMinutes: localOffsetMinutes).lowerBound ?? .min
            let high = to?.microseconds(localOffsetMinutes: localOffsetMinutes).upperBound ?? .max
            return low <= high ? low...high : nil
        }
        return nil
    }

    /// Both ends of a text: the same value twice when there is no `-`.
    private static func ends<T>(_ text: some StringProtocol, _ parse: (ArraySlice<UInt8>) -> T?) -> (T?, T?)? {
        let bytes = trimmedSpaces(Array(text.utf8)[...], leading: true)
        let parts = bytes.split(separator: 0x2D, maxSplits: 2, omittingEmptySubsequences: false)
            .map { trimmedSpaces($0, leading: true) }
        switch parts.count {
        case 1:
            guard let value = parse(parts[0]) else { return nil }
            return (value, value)
        case 2:
            let (from, to) = (parse(parts[0]), parse(parts[1]))
            guard parts[0].isEmpty || from != nil, parts[1].isEmpty || to != nil, from != nil || to != nil else {
                return nil
            }
            return (from, to)
        default: return nil
        }
    }
}
