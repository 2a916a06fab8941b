/// The options of the Basic Application Level Confidentiality Profile that are asked for. PS3.15 §E.3.
package struct DeidentificationOptions: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Private elements that the site lists as safe stay. PS3.15 §E.3.10.
    package static let retainSafePrivate = Self(rawValue: 1 << 0)
    /// PS3.15 §E.3.9.
    package static let retainUIDs = Self(rawValue: 1 << 1)
    /// PS3.15 §E.3.8.
    package static let retainDeviceIdentity = Self(rawValue: 1 << 2)
    /// PS3.15 §E.3.11.
    package static let retainInstitutionIdentity = Self(rawValue: 1 << 3)
    /// PS3.15 §E.3.7.
    package static let retainPatientCharacteristics = Self(rawValue: 1 << 4)
    /// Dates and times stay as they are, unless modified dates are asked for too. PS3.15 §E.3.6.
    package static let retainFullDates = Self(rawValue: 1 << 5)
    /// Dates are shifted by an offset of the patient's own. PS3.15 §E.3.6.
    package static let retainModifiedDates = Self(rawValue: 1 << 6)
    /// Of descriptive text those words stay that are known to identify nobody. PS3.15 §E.3.5.
    package static let cleanDescriptors = Self(rawValue: 1 << 7)
    /// PS3.15 §E.3.4.
    package static let cleanStructuredContent = Self(rawValue: 1 << 8)
    /// Graphic annotations stay, their text is cleaned. PS3.15 §E.3.3.
    package static let cleanGraphics = Self(rawValue: 1 << 9)
    /// Regions of the pixels are blanked by rule. PS3.15 §E.3.1.
    package static let cleanPixelData = Self(rawValue: 1 << 10)

    /// The codes of the profile and of the options in force, in the order of their numbers. PS3.16 CID 7050.
    var codes: [(value: String, meaning: String)] {
        var options = self
        if options.contains(.retainModifiedDates) { options.remove(.retainFullDates) }
        return [("113100", "Basic Application Confidentiality Profile")]
            + Self.coded.filter { options.contains($0.option) }.map { ($0.value, $0.meaning) }
    }

    private static let coded: [(option: Self, value: String, meaning: String)] = [
        (.cleanPixelData, "113101", "Clean Pixel Data Option"),
        (.cleanGraphics, "113103", "Clean Graphics Option"),
        (.cleanStructuredContent, "113104", "Clean Structured Content Option"),
        (.cleanDescriptors, "113105", "Clean Descriptors Option"),
        (.retainFullDates, "113106", "Retain Longitudinal Temporal Information Full Dates Option"),
        (.retainModifiedDates, "113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
        (.retainPatientCharacteristics, "113108", "Retain Patient Characteristics Option"),
        (.retainDeviceIdentity, "113109", "Retain Device Identity Option"),
        (.retainUIDs, "113110", "Retain UIDs Option"),
        (.retainSafePrivate, "113111", "Retain Safe Private Option"),
        (.retainInstitutionIdentity, "113112", "Retain Institution Identity Option"),
    ]

    /// Longitudinal Temporal Information Modified (0028,0303). PS3.3 §C.12.1.
    var temporalInformation: String {
        if contains(.retainModifiedDates) { return "MODIFIED" }
        return contains(.retainFullDates) ? "UNMODIFIED" : "REMOVED"
    }
}
