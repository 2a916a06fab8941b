/// An identifier that some authority gave to a person, order, visit or report.
///
/// `system` is always a URI; an identifier without a system is never used for matching.
package struct Identifier: Sendable, Hashable, Codable {
    /// What the identifier is for; the codes of HL7 table 0203, each kept as it was sent. The named ones are those that
    /// rules know.
    package struct Kind: RawRepresentable, Sendable, Hashable, Codable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }
        package static let medicalRecord = Kind(rawValue: "MR")
        package static let patientInternal = Kind(rawValue: "PI")
        package static let accession = Kind(rawValue: "ACSN")
        package static let placer = Kind(rawValue: "PLAC")
        package static let filler = Kind(rawValue: "FILL")
        package static let visit = Kind(rawValue: "VN")
        package static let account = Kind(rawValue: "AN")
        package static let socialSecurity = Kind(rawValue: "SS")
        package static let driversLicence = Kind(rawValue: "DL")
        package static let nationalProvider = Kind(rawValue: "NPI")
        package static let other = Kind(rawValue: "XX")
    }
    package var system: String
    package var value: String
    package var kind: Kind?
    /// False once a merge or an id change has retired it.
    package var isCurrent: Bool
    /// What its giver says of it beside its value; nil for nothing.
    package var details: Details?

    /// What is told of an identifier and never matched. HL7 v2.5.1 §2.A.14 CX.2, CX.6 to CX.8.
    package struct Details: Sendable, Hashable, Codable {
        package var checkDigit: String?
        /// Where it was first given.
        package var facility: String?
        package var period: ValidityPeriod?
        /// Nil when nothing is said.
        package init?(checkDigit: String?, facility: String?, period: ValidityPeriod?) {
            guard checkDigit != nil || facility != nil || period != nil else { return nil }
            self.checkDigit = checkDigit
            self.facility = facility
            self.period = period
        }
    }

    package init(
        system: String, value: String, kind: Kind? = nil, isCurrent: Bool = true, details: Details? = nil
    ) {
        self.system = system
        self.value = value
        self.kind = kind
        self.isCurrent = isCurrent
        self.details = details
    }
    /// Whether it is a patient's record number, by the site's rules: of such a type, or of none.
    ///
    /// `MRN` is in no version of table 0203 and says what `MR` does: it counts where `MR` does.
    package func isRecordNumber(_ rules: SiteRules) -> Bool {
        guard let kind else { return true }
        return rules.recordNumberTypes.contains(kind.rawValue == "MRN" ? "MR" : kind.rawValue)
            || rules.recordNumberTypes.contains(kind.rawValue)
    }
    /// Whether its type never identifies a patient.
    package func isShared(_ rules: SiteRules) -> Bool {
        kind.map { SiteRules.sharedTypes.contains($0.rawValue) && !rules.recordNumberTypes.contains($0.rawValue) }
            ?? false
    }
    /// Equality for matching: system and value alone.
    package func matches(_ other: Identifier) -> Bool { system == other.system && value == other.value }
}

/// From when until when something holds; either end may be open.
package struct ValidityPeriod: Sendable, Hashable, Codable {
    package var start: PartialDateTime?
    package var end: PartialDateTime?
    /// Nil when both ends are open.
    package init?(start: PartialDateTime?, end: PartialDateTime?) {
        guard start != nil || end != nil else { return nil }
        self.start = start
        self.end = end
    }
}

/// A coded concept: alternative codings of one meaning, and the text a person wrote.
package struct CodedConcept: Sendable, Hashable, Codable {
    package struct Coding: Sendable, Hashable, Codable {
        /// A URI; nil when the sender named no code system.
        package var system: String?
        package var code: String
        package var display: String?
        package init(system: String?, code: String, display: String? = nil) {
            self.system = system
            self.code = code
            self.display = display
        }
    }
    package var codings: [Coding]
    package var text: String?
    package init(codings: [Coding] = [], text: String? = nil) {
        self.codings = codings
        self.text = text
    }
    /// The code that it has in a code system.
    package func code(in system: String) -> String? { codings.first { $0.system == system }?.code }
    /// What to show: the text, else a display, else a code.
    package var displayText: String? { text ?? codings.compactMap(\.display).first ?? codings.first?.code }
}

/// A person's name in parts. Order of parts is that of the v2 XPN and DICOM PN alike: family first.
package struct HumanName: Sendable, Hashable, Codable {
    package enum Use: String, Sendable, Hashable, Codable {
        case official, usual, maiden, nickname, temp, anonymous, old
    }
    package var family: String
    package var given: [String]
    package var prefix: [String]
    package var suffix: [String]
    package var use: Use?
    /// How the name is written, where its sender says so; nil for the usual way.
    package var representation: Representation?
    package var period: ValidityPeriod?
    /// All parts, the family name first.
    package var parts: [String] { [family] + given + prefix + suffix }
    /// Table 0465: one name may be told in up to three ways of writing.
    package enum Representation: String, Sendable, Hashable, Codable { case alphabetic, ideographic, phonetic }
    package init(
        family: String, given: [String] = [], prefix: [String] = [], suffix: [String] = [], use: Use? = nil,
        representation: Representation? = nil, period: ValidityPeriod? = nil
    ) {
        self.representation = representation
        self.period = period
        self.family = family
        self.given = given
        self.prefix = prefix
        self.suffix = suffix
        self.use = use
    }
}

package struct PostalAddress: Sendable, Hashable, Codable {
    package enum Use: String, Sendable, Hashable, Codable { case home, work, temp, old, billing }
    package var lines: [String]
    package var city: String?
    package var district: String?
    package var state: String?
    package var postalCode: String?
    package var country: String?
    package var use: Use?
    package var period: ValidityPeriod?
    package init(
        lines: [String] = [], city: String? = nil, district: String? = nil, state: String? = nil,
        postalCode: String? = nil,
        country: String? = nil, use: Use? = nil, period: ValidityPeriod? = nil
    ) {
        self.period = period
        self.lines = lines
        self.city = city
        self.district = district
        self.state = state
        self.postalCode = postalCode
        self.country = country
        self.use = use
    }
}

package struct ContactPoint: Sendable, Hashable, Codable {
    package enum System: String, Sendable, Hashable, Codable { case phone, fax, email, pager, url, sms, other }
    package enum Use: String, Sendable, Hashable, Codable { case home, work, temp, old, mobile }
    package var system: System
    package var value: String
    package var use: Use?
    package init(system: System, value: String, use: Use? = nil) {
        self.system = system
        self.value = value
        self.use = use
    }
}

/// A practitioner or organisation named in an order or report, by identifier, name, or both.
package struct PartyReference: Sendable, Hashable, Codable {
    package var identifier: Identifier?
    package var name: HumanName?
    /// For an organisation, or when the name could not be split.
    package var displayName: String?
    package init(identifier: Identifier? = nil, name: HumanName? = nil, displayName: String? = nil) {
        self.identifier = identifier
        self.name = name
        self.displayName = displayName
    }
}

/// A date, or a date and time, with the precision and zone in which it was given.
///
/// Text form as in ISO 8601 and FHIR dateTime: `2026`, `2026-11`, `2026-11-21`, `2026-11-21T10:15:00.5+01:00`.
/// A time always has seconds; a missing zone means that no zone was known.
package struct PartialDateTime: Sendable, Hashable, Codable, CustomStringConvertible {
    package var text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
    package init(from decoder: any Decoder) throws { text = try decoder.singleValueContainer().decode(String.self) }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
    /// Digits of the date part, for example `20261121` or `2026`. DICOM DA when eight digits long.
    package var dateDigits: String { String(text.prefix { $0 != "T" }.filter { $0 != "-" }) }
    /// Digits of the time of day, for example `101500`, or nil for a bare date. DICOM TM without fraction.
    package var timeDigits: String? {
        guard let mark = text.firstIndex(of: "T") else { return nil }
        let time = text[text.index(after: mark)...].prefix { $0.isNumber || $0 == ":" }
        return String(time.filter { $0 != ":" })
    }
    package var hasTime: Bool { text.contains("T") }
}

/// What an update says of one value: nothing, that it is gone, or its new content.
package enum Change<Value: Sendable & Hashable & Codable>: Sendable, Hashable, Codable {
    case keep
    case clear
    case set(Value)
    /// Applies the change to an optional value.
    package func applied(to old: Value?) -> Value? {
        switch self {
        case .keep: old
        case .clear: nil
        case .set(let value): value
        }
    }
    package init(from decoder: any Decoder) throws {
        if var list = try? decoder.unkeyedContainer() {
            self = .set(try list.decode(Value.self))
        } else if let mark = try? decoder.singleValueContainer().decode(Int.self) {
            self = mark == 0 ? .keep : .clear
        } else {
            // An attribute of an order's event that an earlier version kept: a value, which was set.
            self = .set(try Value(from: decoder))
        }
    }
    /// 0 for nothing, 1 for gone, the value in an array: short, because most changes are none.
    package func encode(to encoder: any Encoder) throws {
        if case .set(let value) = self {
            var list = encoder.unkeyedContainer()
            try list.encode(value)
        } else {
            var container = encoder.singleValueContainer()
            try container.encode(self == .keep ? 0 : 1)
        }
    }
}

extension String {
    /// The text without the spaces around it; nil when nothing is left.
    package var withoutOuterSpaces: String? {
        guard let first = utf8.firstIndex(where: { $0 != 0x20 }), let last = utf8.lastIndex(where: { $0 != 0x20 })
        else { return nil }
        return String(self[first...last])
    }
}
