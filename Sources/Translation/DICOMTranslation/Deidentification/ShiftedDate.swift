import DICOMData

/// Dates that go back by whole days, so that what lay between two of one patient lies between them still.
/// PS3.15 §E.3.6.
enum ShiftedDate {
    /// The value of a DA or DT so many days earlier, and a TM as it is; nil for text that is no such value, for one that
    /// names no day, and for other VRs.
    static func text(_ text: String, _ vr: VR, daysBack: Int) -> String? {
        guard !text.isEmpty else { return text }
        switch vr {
        case .DA:
            return DICOMDate(text: text).flatMap { shifted($0, daysBack) }
        case .DT:
            guard let value = DICOMDateTime(text: text), let month = value.month, let day = value.day,
                let date = DICOMDate(year: value.year, month: month, day: day), let earlier = shifted(date, daysBack)
            else { return nil }
            return earlier + text.drop { $0 == " " }.dropFirst(8)
        case .TM:
            return DICOMTime(text: text) == nil ? nil : text
        default:
            return nil
        }
    }

    private static func shifted(_ date: DICOMDate, _ daysBack: Int) -> String? {
        DICOMDate(daysSince1970: date.daysSince1970 - daysBack)?.description
    }
}
