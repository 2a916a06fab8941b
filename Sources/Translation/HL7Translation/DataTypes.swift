import HL7v2
import Synchronization
import Workflow

/// Data types of HL7 v2 as domain values, read with the site's profile. HL7 v2.5.1 §2.A.
struct DataTypes: Sendable {
    let profile: SiteProfile
    /// Where it is noted what the values of the message were read for, and what is wrong with them.
    let trace: ReadTrace
    /// The authorities that were named and are not configured.
    let unknownAuthorities = UnknownAuthorities()

    /// Everything read inside of `body` is carried to `target`, such as `Patient.birthDate`.
    func into<Value>(_ target: String, _ body: () throws -> Value) rethrows -> Value {
        try trace.reading(.mapped(target), body)
    }
    /// Everything read inside of `body` is kept at `place` and in no record.
    func kept<Value>(_ place: String, _ body: () throws -> Value) rethrows -> Value {
        try trace.reading(.kept(place), body)
    }
    /// The code of a table that the element holds, as `read` understands it. One that is not in the table is reported.
    func table<Value>(_ element: some Element, _ table: String, _ read: (String) -> Value?) -> Value? {
        guard let code = trimmed(element.text) else { return nil }
        if let value = read(code) { return value }
        element.report(.tableValueNotFound, "The code is not in table \(table)")
        return nil
    }

    // MARK: Identifiers

    /// The system of an identifier by the authority it names, or `fallback` where it names none.
    private func system(namespace: String?, universalID: String?, type: String?, fallback: String) -> String {
        let resolved = profile.authorities.resolve(
            namespace: namespace, universalID: universalID, universalIDType: type)
        if case .unknown(let authority) = resolved { unknownAuthorities.note(authority) }
        return resolved.system(default: fallback)
    }

    /// CX: .1 value, .4 assigning authority, .5 type. Nil without a value.
    func cx(_ value: Repetition, fallback: String, kind: Identifier.Kind? = nil) -> Identifier? {
        guard let id = trimmed(value[1].text) else { return nil }
        let type = trimmed(value[5].text).flatMap(CodeSystems.identifierKind)
        let authority = value[4]
        let system = system(
            namespace: authority[1].text, universalID: authority[2].text, type: authority[3].text, fallback: fallback)
        return Identifier(system: system, value: id, kind: kind ?? type)
    }

    /// EI: .1 value, .2 to .4 assigning authority. Nil without a value.
    func ei(_ value: Repetition, fallback: String, kind: Identifier.Kind?) -> Identifier? {
        guard let id = trimmed(value[1].text) else { return nil }
        let system = system(
            namespace: value[2].text, universalID: value[3].text, type: value[4].text, fallback: fallback)
        return Identifier(system: system, value: id, kind: kind)
    }

    /// The identifiers of PID-3 (or MRG-1): record numbers first.
    ///
    /// An identifier without an authority is of the site's patient system when it is a record number or of a type that
    /// says nothing of its giver; an insurance or licence number never is: it gets a system of its type.
    func patientIdentifiers(_ field: Field) -> [Identifier] {
        var identifiers: [Identifier] = []
        for repetition in field.repetitions where !repetition.isNull {
            guard var identifier = cx(repetition, fallback: profile.authorities.defaultPatientSystem) else { continue }
            if identifier.isShared(profile.rules), !repetition[4].isValued, let type = trimmed(repetition[5].text) {
                identifier.system = "urn:hilum:identifier:" + type.lowercased()
            }
            if !identifiers.contains(where: { $0.matches(identifier) }) { identifiers.append(identifier) }
        }
        return identifiers.filter { $0.isRecordNumber(profile.rules) }
            + identifiers.filter { !$0.isRecordNumber(profile.rules) }
    }

    // MARK: Statements

    /// What a part says of a value: `""` (alone or in each of its pieces) that it is gone, nothing where it is empty or
    /// absent or cannot be read. HL7 v2.5.1 §2.5.3.
    func change<Part: Element, Value>(_ part: Part, _ read: (Part) -> Value?) -> Change<Value> {
        switch part.presence {
        case .null: return .clear
        case .absent, .empty: return .keep
        case .valued: return read(part).map { .set($0) } ?? (Self.isNullThroughout(part) ? .clear : .keep)
        }
    }

    /// Whether all that is in a part is `""`, in one or more of its pieces.
    private static func isNullThroughout(_ part: some Element) -> Bool {
        let pieces = part.rawBytes.split { [0x5E, 0x26, 0x7E].contains($0) }
        return !pieces.isEmpty && pieces.allSatisfy { $0.elementsEqual([0x22, 0x22]) }
    }

    // MARK: People

    /// XPN: family, given, second, suffix, prefix, degree, type, representation. Nil when all parts are empty.
    func xpn(_ value: Repetition) -> HumanName? {
        var name = name(
            family: value[1][1].text, given: value[2].text, middle: value[3].text, suffix: value[4].text,
            prefix: value[5].text, degree: value[6].text, use: nameUse(value[7]))
        name?.representation = table(value[8], "0465") { code in
            ["A": .alphabetic, "I": .ideographic, "P": .phonetic][code]
        }
        return name
    }

    /// XCN (CNN when the parts are subcomponents): id, name parts, .9 authority, .10 type of name, .13 type of id.
    func xcn(_ value: Repetition) -> PartyReference? {
        let id = trimmed(value[1].text).map { id in
            let system = system(
                namespace: value[9][1].text, universalID: value[9][2].text, type: value[9][3].text,
                fallback: profile.practitionerSystem)
            return Identifier(
                system: system, value: id, kind: trimmed(value[13].text).flatMap(CodeSystems.identifierKind))
        }
        let name = name(
            family: value[2][1].text, given: value[3].text, middle: value[4].text, suffix: value[5].text,
            prefix: value[6].text, degree: value[7].text, use: nameUse(value[10]))
        return id == nil && name == nil ? nil : PartyReference(identifier: id, name: name)
    }

    /// NDL.1 (OBR-32): a CNN in subcomponents.
    func ndl(_ value: Repetition) -> PartyReference? {
        let person = value[1]
        guard person[2].isValued || person[3].isValued else { return xcn(value) }
        let id = trimmed(person[1].text).map { Identifier(system: profile.practitionerSystem, value: $0) }
        let name = name(
            family: person[2].text, given: person[3].text, middle: person[4].text, suffix: person[5].text,
            prefix: person[6].text, degree: nil, use: nil)
        return PartyReference(identifier: id, name: name)
    }

    /// XON: .1 name, .10 (.3 before 2.5) id, .6 authority. Nil without name and id.
    func xon(_ value: Repetition) -> PartyReference? {
        let name = trimmed(value[1].text)
        let id = trimmed(value[10].text) ?? trimmed(value[3].text)
        let system = system(
            namespace: value[6][1].text, universalID: value[6][2].text, type: value[6][3].text,
            fallback: "urn:hilum:organization")
        guard name != nil || id != nil else { return nil }
        return PartyReference(
            identifier: id.map { Identifier(system: system, value: $0) },
            displayName: name ?? id)
    }

    /// A coded name of an organisation or place as a reference to it.
    static func organization(_ concept: CodedConcept) -> PartyReference {
        PartyReference(displayName: concept.displayText)
    }

    private func name(
        family: String?, given: String?, middle: String?, suffix: String?, prefix: String?, degree: String?,
        use: HumanName.Use?
    ) -> HumanName? {
        let given = [trimmed(given), trimmed(middle)].compactMap { $0 }
        let suffixes = [trimmed(suffix), trimmed(degree)].compactMap { $0 }
        let prefixes = [trimmed(prefix)].compactMap { $0 }
        let family = trimmed(family) ?? ""
        guard !family.isEmpty || !given.isEmpty else { return nil }
        return HumanName(
            family: family, given: given, prefix: prefixes, suffix: suffixes, use: use)
    }

    /// Table 0200. Nil also for the types that are no use in FHIR; one that is not in the table is reported.
    private func nameUse(_ element: some Element) -> HumanName.Use? {
        guard let code = trimmed(element.text) else { return nil }
        switch code {
        case "L", "R": return .official
        case "D": return .usual
        case "M": return .maiden
        case "N": return .nickname
        case "NAV", "TEMP": return .temp
        case "MSK", "S": return .anonymous
        case "BAD": return .old
        case "A", "B", "C", "F", "G", "I", "K", "NB", "NOUSE", "P", "REL", "T", "U": return nil
        default:
            element.report(.tableValueNotFound, "The code is not in table 0200")
            return nil
        }
    }

    /// XAD: street, other, city, state, postal code, country, type, .9 county.
    func xad(_ value: Repetition) -> PostalAddress? {
        // SAD: the street address, or the name of the street and the number of the house.
        let street = [trimmed(value[1][1].text), trimmed(value[1][2].text), trimmed(value[1][3].text)].compactMap { $0 }
        let lines = [street.isEmpty ? nil : street.joined(separator: " "), trimmed(value[2].text)].compactMap { $0 }
        let address = PostalAddress(
            lines: lines, city: trimmed(value[3].text), district: trimmed(value[9].text), state: trimmed(value[4].text),
            postalCode: trimmed(value[5].text), country: trimmed(value[6].text),
            use: addressUse(value[7]))
        var bare = address
        bare.use = nil
        return bare == PostalAddress() ? nil : address
    }

    /// Table 0190. Nil also for the types that are no use in FHIR; one that is not in the table is reported.
    private func addressUse(_ element: some Element) -> PostalAddress.Use? {
        guard let code = trimmed(element.text) else { return nil }
        switch code {
        case "H", "L", "P": return .home
        case "B", "O": return .work
        case "C": return .temp
        case "BA": return .old
        case "BI": return .billing
        case "BDL", "BR", "F", "M", "N", "RH", "S", "SH", "TM", "V": return nil
        default:
            element.report(.tableValueNotFound, "The code is not in table 0190")
            return nil
        }
    }

    /// XTN: .1 number, .2 use, .3 equipment, .4 mail, .5 to .8 parts of a number, .12 number as dialled.
    func xtn(_ value: Repetition, use fallback: ContactPoint.Use) -> [ContactPoint] {
        var points: [ContactPoint] = []
        let use: ContactPoint.Use =
            switch value[2].text {
            case "WPN": .work
            case "PRS": .mobile
            case "PRN", "ORN", "VHN": .home
            default: value[3].text == "CP" ? .mobile : fallback
            }
        let system: ContactPoint.System =
            switch value[3].text {
            case "FX": .fax
            case "BP": .pager
            case "Internet", "X.400": .email
            default: .phone
            }
        if let mail = trimmed(value[4].text) { points.append(ContactPoint(system: .email, value: mail, use: use)) }
        let parts = [trimmed(value[5].text).map { "+" + $0 }, trimmed(value[6].text), trimmed(value[7].text)].compactMap
        { $0 }
        let built =
            parts.isEmpty ? nil : parts.joined(separator: " ") + (trimmed(value[8].text).map { " x" + $0 } ?? "")
        if let number = trimmed(value[12].text) ?? trimmed(value[1].text) ?? built, system != .email || points.isEmpty {
            points.append(ContactPoint(system: system, value: number, use: use))
        }
        return points
    }

    // MARK: Codes and times

    /// CWE, CE, CNE: two triplets (three in CWE) and the original text. A value of one component is a code.
    func cwe(_ value: Repetition) -> CodedConcept? {
        var codings: [CodedConcept.Coding] = []
        for first in [1, 4, 10] {
            guard let code = trimmed(value[first].text) else { continue }
            let name = trimmed(value[first + 2].text)
            codings.append(
                CodedConcept.Coding(
                    system: name.flatMap(system(named:)), code: code, display: trimmed(value[first + 1].text)))
        }
        let text = trimmed(value[9].text) ?? (codings.isEmpty ? trimmed(value[2].text) : nil)
        return codings.isEmpty && text == nil ? nil : CodedConcept(codings: codings, text: text)
    }

    private func system(named name: String) -> String? { profile.codeSystems[name] ?? CodeSystems.uri(name) }

    /// DTM with its precision. A time without an offset takes the site's zone; without a zone it is cut to its date.
    func dateTime(_ stamp: Timestamp?) -> PartialDateTime? {
        guard let stamp else { return nil }
        var text = pad(stamp.year, 4)
        if stamp.precision >= .month { text += "-" + pad(stamp.month, 2) }
        if stamp.precision >= .day { text += "-" + pad(stamp.day, 2) }
        guard stamp.precision >= .hour, let offset = offsetMinutes(of: stamp) else { return PartialDateTime(text) }
        text += "T\(pad(stamp.hour, 2)):\(pad(stamp.minute, 2)):\(pad(min(stamp.second, 59), 2))"
        if stamp.precision == .fraction {
            var digits = pad(stamp.tenThousandths, 4)
            while digits.hasSuffix("0"), digits.utf8.count > 1 { digits.removeLast() }
            text += "." + digits
        }
        text += offset < 0 ? "-" : "+"
        return PartialDateTime(text + pad(abs(offset) / 60, 2) + ":" + pad(abs(offset) % 60, 2))
    }

    /// A time in the site's zone, as its wall clocks show it: what a modality is told has no zone of its own.
    /// PS3.4 §K.6.1.2.2. A date, and a time at a site without a zone, are as they were sent.
    func local(_ stamp: Timestamp?) -> PartialDateTime? {
        guard let stamp, stamp.precision >= .hour, let offset = stamp.offsetMinutes, let zone = profile.zone else {
            return dateTime(stamp)
        }
        let utc = stamp.wallClockSeconds - offset * 60
        let here = zone.offsetMinutes(atUTC: utc)
        var local = Timestamp(utcEpochSeconds: utc + here * 60)
        local.tenThousandths = stamp.tenThousandths
        local.precision = stamp.precision
        local.offsetMinutes = here
        return dateTime(local)
    }

    /// The date part alone.
    func date(_ stamp: Timestamp?) -> PartialDateTime? {
        guard var stamp else { return nil }
        if stamp.precision > .day { stamp.precision = .day }
        return dateTime(stamp)
    }

    /// A moment. Nil without a time of day, or without an offset and a zone.
    func instant(_ stamp: Timestamp?) -> UTCInstant? {
        guard let stamp, stamp.precision >= .hour, let offset = offsetMinutes(of: stamp) else { return nil }
        let seconds = Int64(stamp.wallClockSeconds - offset * 60)
        return UTCInstant(microseconds: seconds * 1_000_000 + Int64(stamp.tenThousandths) * 100)
    }

    private func offsetMinutes(of stamp: Timestamp) -> Int? {
        stamp.offsetMinutes ?? profile.zone?.offsetMinutes(atWallClock: stamp.wallClockSeconds)
    }

    /// The value without blanks around it; nil when nothing is left.
    func trimmed(_ text: String?) -> String? {
        guard let text, !text.isEmpty else { return nil }
        let bytes = text.utf8
        guard bytes.first == 0x20 || bytes.last == 0x20 else { return text }
        let start = text.firstIndex { $0 != " " } ?? text.endIndex
        let end = text.lastIndex { $0 != " " }.map(text.index(after:)) ?? text.endIndex
        return start < end ? String(text[start..<end]) : nil
    }

    private func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

/// Gathers the authorities of one message that the site has not configured.
final class UnknownAuthorities: Sendable {
    private let found = Mutex<Set<UnknownAuthority>>([])

    func note(_ authority: UnknownAuthority) { found.withLock { _ = $0.insert(authority) } }

    /// What was found, in the order of their systems.
    var all: [UnknownAuthority] { found.withLock { $0.sorted { $0.system < $1.system } } }
}
