import HL7v2
import Workflow

/// Domain values as data types of HL7 v2: the way back of `DataTypes`, by the same tables. HL7 v2.5.1 §2.A.
struct WireTypes: Sendable {
    let profile: SiteProfile
    /// MSH-12 of what is written.
    let version: VersionNumber

    init(profile: SiteProfile, version: String) {
        self.profile = profile
        self.version = VersionNumber(version)
    }

    func isSince(_ major: Int, _ minor: Int) -> Bool { version >= VersionNumber(major, minor) }

    // MARK: Identifiers

    /// HD as its parts. Empty for the system that stands where no authority is named, unless the site names it.
    func hd(_ system: String, default fallback: String) -> [Leaf] {
        if system == fallback, !profile.authorities.authorities.contains(where: { $0.system == system }) { return [] }
        guard let name = profile.authorities.designator(of: system) else { return [] }
        return [.key(name.namespace), .key(name.universalID), .key(name.universalIDType)]
    }

    /// CX. §2.A.14.
    func cx(_ identifier: Identifier, default fallback: String) -> RepetitionDraft {
        var value = RepetitionDraft()
        value[1] = ComponentDraft([.key(identifier.value)])
        value[2] = ComponentDraft([.key(identifier.details?.checkDigit)])
        value[4] = ComponentDraft(hd(identifier.system, default: fallback))
        value[5] = ComponentDraft([.key(identifier.kind?.rawValue)])
        value[6] = ComponentDraft([.key(identifier.details?.facility)])
        if isSince(2, 5) { (value[7], value[8]) = ends(of: identifier.details?.period) }
        return value
    }

    /// EI. §2.A.28.
    func ei(_ identifier: Identifier, default fallback: String) -> RepetitionDraft {
        RepetitionDraft(components: [.key(identifier.value)] + hd(identifier.system, default: fallback))
    }

    func ei(_ identifier: Identifier?, default fallback: String) -> FieldDraft {
        identifier.map { FieldDraft([ei($0, default: fallback)]) } ?? FieldDraft()
    }

    /// An accession number in OBR-18, which is a string: the number alone. One of another authority than such numbers are
    /// of here is told with it, as EI: without it it would be another study's. HL7 v2.5.1 §4.5.3.18, IHE RAD TF-2
    /// §4.4.4.1.2.2.
    func accession(_ identifier: Identifier?) -> FieldDraft {
        guard let identifier else { return FieldDraft() }
        let usual = profile.authorities.defaultAccessionSystem
        return identifier.system == usual ? FieldDraft(.key(identifier.value)) : ei(identifier, default: usual)
    }

    /// The start and the end of a period as two components.
    private func ends(of period: ValidityPeriod?) -> (ComponentDraft, ComponentDraft) {
        (ComponentDraft([ts(period?.start)]), ComponentDraft([ts(period?.end)]))
    }

    // MARK: People

    /// XPN. §2.A.88.
    func xpn(_ name: HumanName) -> RepetitionDraft {
        var value = RepetitionDraft(components: parts(of: name))
        value[7] = ComponentDraft([.key(name.use.map(Self.code))])
        value[8] = ComponentDraft([.key(name.representation.map(Self.code))])
        if isSince(2, 5) {
            (value[12], value[13]) = ends(of: name.period)
        } else if isSince(2, 4), let period = name.period {
            value[10] = ComponentDraft([ts(period.start), ts(period.end)])
        }
        let more = name.suffix.dropFirst(2)
        if !more.isEmpty { value[14] = ComponentDraft([.text(more.joined(separator: " "))]) }
        return value
    }

    /// Family, given, further given, suffix, prefix, degree: the order of XPN and, after its id, of XCN.
    private func parts(of name: HumanName) -> [Leaf] {
        [
            .text(name.family), .text(name.given.first), .text(name.given.dropFirst().joined(separator: " ")),
            .text(name.suffix.first), .text(name.prefix.joined(separator: " ")),
            .text(name.suffix.dropFirst().first),
        ]
    }

    /// XCN. §2.A.86.
    func xcn(_ party: PartyReference) -> RepetitionDraft {
        var value = RepetitionDraft(components: [.key(party.identifier?.value)] + named(party))
        if let identifier = party.identifier {
            value[9] = ComponentDraft(hd(identifier.system, default: profile.practitionerSystem))
            value[13] = ComponentDraft([.key(identifier.kind?.rawValue)])
        }
        value[10] = ComponentDraft([.key(party.name?.use.map(Self.code))])
        return value
    }

    func xcn(_ parties: [PartyReference]) -> FieldDraft { FieldDraft(parties.map(xcn)) }

    /// NDL, whose first component is a CNN in parts. §2.A.48, §2.A.10.
    func ndl(_ party: PartyReference) -> RepetitionDraft {
        var parts: [Leaf] = [.key(party.identifier?.value)] + named(party)
        let authority = party.identifier.map { hd($0.system, default: profile.practitionerSystem) } ?? []
        if !authority.isEmpty { parts += [Leaf.empty] + authority }
        return RepetitionDraft([ComponentDraft(parts)])
    }

    func ndl(_ parties: [PartyReference]) -> FieldDraft { FieldDraft(parties.map(ndl)) }

    /// The parts of a name; one that could not be split stands as the family name.
    private func named(_ party: PartyReference) -> [Leaf] {
        party.name.map { parts(of: $0) } ?? [.text(party.displayName), .empty, .empty, .empty, .empty, .empty]
    }

    /// XON. §2.A.87.
    func xon(_ party: PartyReference) -> RepetitionDraft {
        var value = RepetitionDraft(components: [.text(party.displayName ?? party.name?.family)])
        guard let identifier = party.identifier else { return value }
        value[6] = ComponentDraft(hd(identifier.system, default: "urn:hilum:organization"))
        value[7] = ComponentDraft([.key(identifier.kind?.rawValue)])
        value[isSince(2, 5) ? 10 : 3] = ComponentDraft([.key(identifier.value)])
        return value
    }

    /// XAD. §2.A.84. Lines after the second share its place.
    func xad(_ address: PostalAddress) -> RepetitionDraft {
        var value = RepetitionDraft(components: [
            .text(address.lines.first), .text(address.lines.dropFirst().joined(separator: ", ")),
            .text(address.city), .text(address.state), .text(address.postalCode), .text(address.country),
            .key(address.use.map(Self.code)), .empty, .text(address.district),
        ])
        if isSince(2, 5) {
            (value[13], value[14]) = ends(of: address.period)
        } else if isSince(2, 4), let period = address.period {
            value[12] = ComponentDraft([ts(period.start), ts(period.end)])
        }
        return value
    }

    /// XTN. §2.A.89. Nil for what has no code in table 0202 that a receiver would understand (a URL).
    func xtn(_ point: ContactPoint) -> RepetitionDraft? {
        let use: String? =
            switch point.use {
            case .home: "PRN"
            case .work: "WPN"
            case .mobile: "PRS"
            case .temp, .old, nil: nil
            }
        switch point.system {
        case .url, .other: return nil
        case .email:
            return RepetitionDraft(components: [.empty, .key("NET"), .key("Internet"), .text(point.value)])
        case .phone, .fax, .pager, .sms:
            let equipment =
                switch point.system {
                case .fax: "FX"
                case .pager: "BP"
                case .sms: "CP"
                default: point.use == .mobile ? "CP" : "PH"
                }
            // The number stood in the first component until 2.7 took that away.
            var value = RepetitionDraft(components: [.empty, .key(use), .key(equipment)])
            value[isSince(2, 7) ? 12 : 1] = ComponentDraft([.text(point.value)])
            return value
        }
    }

    // MARK: Codes

    /// CWE, or CE before 2.5: two codings and, in CWE, the text; from 2.7 on a third coding. §2.A.13.
    func cwe(_ concept: CodedConcept) -> RepetitionDraft {
        var value = RepetitionDraft()
        for (coding, first) in zip(concept.codings, [1, 4, 10]) {
            if first == 10, !isSince(2, 7) { break }
            value[first] = ComponentDraft([.key(coding.code)])
            value[first + 1] = ComponentDraft([.text(coding.display)])
            value[first + 2] = ComponentDraft([.key(name(ofSystem: coding.system))])
        }
        guard let text = concept.text, !text.isEmpty else { return value }
        if concept.codings.isEmpty {
            value[2] = ComponentDraft([.text(text)])
        } else if isSince(2, 5) {
            value[9] = ComponentDraft([.text(text)])
        } else if concept.codings.first?.display == nil {
            value[2] = ComponentDraft([.text(text)])
        }
        return value
    }

    func cwe(_ concepts: [CodedConcept]) -> FieldDraft { FieldDraft(concepts.map(cwe)) }
    func cwe(_ concept: CodedConcept?) -> FieldDraft { concept.map { FieldDraft([cwe($0)]) } ?? FieldDraft() }

    /// CWE.3 of a system: the site's name, that of table 0396, else the URI; `L` for a code of no system.
    func name(ofSystem system: String?) -> String {
        guard let system else { return "L" }
        let ofSite = profile.codeSystems.filter { $0.value == system }.keys.min()
        return ofSite ?? CodeSystem.name(of: system) ?? system
    }

    // MARK: Times

    /// TS, with the precision and the offset that the time has. §2.A.77.
    func ts(_ time: PartialDateTime?) -> Leaf {
        guard let time else { return .empty }
        let parts = time.text.split(separator: "T", maxSplits: 1)
        let date = String(parts[0].filter { $0 != "-" })
        guard parts.count == 2 else { return .key(date) }
        let mark = parts[1].firstIndex { $0 == "Z" || $0 == "+" || $0 == "-" } ?? parts[1].endIndex
        let clock = parts[1][..<mark].filter { $0 != ":" }
        let offset = parts[1][mark...].filter { $0 != ":" }
        // Four digits are the most that a fraction of a second has.
        let point = clock.firstIndex(of: ".") ?? clock.endIndex
        return .key(date + clock[..<point] + clock[point...].prefix(5) + (offset == "Z" ? "+0000" : offset))
    }

    /// A moment as the site's clocks show it, to the second; in UTC at a site without a zone.
    func ts(_ moment: UTCInstant?) -> Leaf {
        guard let moment else { return .empty }
        let microseconds = moment.microseconds
        let seconds = Int(microseconds >= 0 ? microseconds / 1_000_000 : (microseconds - 999_999) / 1_000_000)
        let offset = profile.zone?.offsetMinutes(atUTC: seconds) ?? 0
        var stamp = Timestamp(utcEpochSeconds: seconds + offset * 60)
        stamp.offsetMinutes = offset
        let rest = Int(microseconds - Int64(seconds) * 1_000_000)
        if rest > 0 {
            stamp.tenThousandths = rest / 100
            stamp.precision = .fraction
        }
        return .key(String(decoding: stamp.bytes, as: UTF8.self))
    }
}
