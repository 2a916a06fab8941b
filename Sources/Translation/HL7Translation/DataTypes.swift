import HL7v2
import Synchronization
import Workflow

/// Data types of HL7 v2 as domain values, read with the site's profile. HL7 v2.5.1 §2.A.
///
/// One object a message: each part of the reading holds it, and a profile is much to copy.
final class DataTypes: Sendable {
    let profile: SiteProfile
    /// Where it is noted what the values of the message were read for, and what is wrong with them.
    let trace: ReadTrace
    /// The authorities that were named and are not configured.
    let unknownAuthorities = UnknownAuthorities()

    init(profile: SiteProfile, trace: ReadTrace) {
        self.profile = profile
        self.trace = trace
    }

    /// Everything read inside of `body` is carried to `target`, such as `Patient.birthDate`.
    func into<Value>(_ target: String, _ body: () throws -> Value) rethrows -> Value {
        try trace.reading(.mapped(target), body)
    }
    /// Everything read inside of `body` is kept at `place` and in no record.
    func kept<Value>(_ place: String, _ body: () throws -> Value) rethrows -> Value {
        try trace.reading(.kept(place), body)
    }
    /// The code of a table that the element holds, as `read` understands it. One that is not in the table is reported; one
    /// of `without` is in the table and has no counterpart here. Neither counts as carried.
    func table<Value>(
        _ element: some Element, _ table: String, without: Set<String> = [], _ read: (String) -> Value?
    ) -> Value? {
        guard let code = trimmed(element.peekedText) else { return nil }
        guard let value = read(code) else {
            if !without.contains(code) {
                element.report(.tableValueNotFound, "The code is not in table \(table): left out")
            }
            return nil
        }
        _ = element.text
        return value
    }

    // MARK: Identifiers

    /// The text of a part by which something is found. What no store can keep is noted as what the message is refused for.
    func key(_ element: some Element) -> String? {
        guard let text = trimmed(element.text) else { return nil }
        if let reason = TextRule.reason(against: text) {
            element.refuse(.dataTypeError, "Not stored: the value \(reason.words)")
        }
        return text
    }

    /// The name, once it is short enough to be found by.
    private func checked(_ name: HumanName?, in element: some Element) -> HumanName? {
        if let name, !TextRule.isShort(name) {
            element.refuse(.dataTypeError, "Not stored: the name is longer than \(TextRule.keyBytesMax) bytes")
        }
        return name
    }

    /// The system of an identifier by the authority it names, or `fallback` where it names none.
    private func system<Part: Element>(
        _ namespace: Part, _ universalID: Part, _ type: some Element, fallback: String
    ) -> String {
        let names = [key(namespace), key(universalID), key(type)]
        let resolved = profile.authorities.resolve(
            namespace: names[0], universalID: names[1], universalIDType: names[2])
        let system = resolved.system(default: fallback)
        if case .unknown(let authority) = resolved {
            unknownAuthorities.note(authority)
            // A name that is refused by itself is told once.
            if names.allSatisfy({ $0.flatMap(TextRule.reason) == nil }) {
                checked(system, madeOf: namespace.isValued ? namespace : universalID)
            }
        }
        return system
    }

    /// What a name is written as may be longer than the name.
    private func checked(_ system: String, madeOf element: some Element) {
        if let reason = TextRule.reason(against: system) {
            element.refuse(.dataTypeError, "Not stored: the system made of the value \(reason.words)")
        }
    }

    /// CX: .1 value, .2 check digit, .4 assigning authority, .5 type, .6 assigning facility, .7 and .8 period. Nil
    /// without a value.
    func cx(_ value: Repetition, fallback: String, kind: Identifier.Kind? = nil) -> Identifier? {
        guard let id = key(value[1]) else { return nil }
        let type = key(value[5]).flatMap(CodeSystems.identifierKind)
        let authority = value[4]
        let system = system(
            authority[1], authority[2], authority[3], fallback: fallback)
        let facility = trimmed(value[6][1].text) ?? trimmed(value[6][2].text)
        return Identifier(
            system: system, value: id, kind: kind ?? type,
            details: Identifier.Details(
                checkDigit: trimmed(value[2].text), facility: facility, period: period(value[7], value[8])))
    }

    /// A period by its start and its end, or by the two in one place where neither is valued (DR). Nil for none.
    private func period(_ start: Component, _ end: Component, range: Component? = nil) -> ValidityPeriod? {
        let ends = ValidityPeriod(start: dateTime(start.timestamp), end: dateTime(end.timestamp))
        if let ends { return ends }
        return range.flatMap { ValidityPeriod(start: dateTime($0[1].timestamp), end: dateTime($0[2].timestamp)) }
    }

    /// EI: .1 value, .2 to .4 assigning authority. Nil without a value.
    func ei(_ value: Repetition, fallback: String, kind: Identifier.Kind?) -> Identifier? {
        guard let id = key(value[1]) else { return nil }
        let system = system(
            value[2], value[3], value[4], fallback: fallback)
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

    /// XPN: family, given, second, suffix, prefix, degree, type, representation, .10 or .12 and .13 period, .14
    /// professional suffix. Nil when all parts are empty.
    func xpn(_ value: Repetition) -> HumanName? {
        var name = name(
            family: value[1][1].text, given: value[2].text, middle: value[3].text, suffix: value[4].text,
            prefix: value[5].text, degree: value[6].text, professional: value[14].text, use: nameUse(value[7]))
        name?.period = period(value[12], value[13], range: value[10])
        name?.representation = table(value[8], "0465") { code in
            ["A": .alphabetic, "I": .ideographic, "P": .phonetic][code]
        }
        return checked(name, in: value)
    }

    /// XCN (CNN when the parts are subcomponents): id, name parts, .9 authority, .10 type of name, .13 type of id, .21
    /// professional suffix.
    func xcn(_ value: Repetition) -> PartyReference? {
        let id = key(value[1]).map { id in
            let system = system(
                value[9][1], value[9][2], value[9][3],
                fallback: profile.practitionerSystem)
            return Identifier(
                system: system, value: id, kind: key(value[13]).flatMap(CodeSystems.identifierKind))
        }
        let name = name(
            family: value[2][1].text, given: value[3].text, middle: value[4].text, suffix: value[5].text,
            prefix: value[6].text, degree: value[7].text, professional: value[21].text, use: nameUse(value[10]))
        return id == nil && name == nil ? nil : PartyReference(identifier: id, name: name)
    }

    /// NDL.1 (OBR-32): a CNN in subcomponents, .9 to .11 its authority.
    func ndl(_ value: Repetition) -> PartyReference? {
        let person = value[1]
        guard person[2].isValued || person[3].isValued else { return xcn(value) }
        let id = key(person[1]).map { id in
            Identifier(
                system: system(person[9], person[10], person[11], fallback: profile.practitionerSystem), value: id)
        }
        let name = name(
            family: person[2].text, given: person[3].text, middle: person[4].text, suffix: person[5].text,
            prefix: person[6].text, degree: nil, professional: nil, use: nil)
        return PartyReference(identifier: id, name: name)
    }

    /// XON: .1 name, .10 (.3 before 2.5) id, .6 authority, .7 type of id. Nil without name and id.
    func xon(_ value: Repetition) -> PartyReference? {
        let name = trimmed(value[1].text)
        let id = key(value[10]) ?? key(value[3])
        let system = system(
            value[6][1], value[6][2], value[6][3],
            fallback: "urn:hilum:organization")
        guard name != nil || id != nil else { return nil }
        return PartyReference(
            identifier: id.map {
                Identifier(
                    system: system, value: $0, kind: key(value[7]).flatMap(CodeSystems.identifierKind))
            },
            displayName: name ?? id)
    }

    /// A coded name of an organisation or place as a reference to it.
    static func organization(_ concept: CodedConcept) -> PartyReference {
        PartyReference(displayName: concept.displayText)
    }

    private func name(
        family: String?, given: String?, middle: String?, suffix: String?, prefix: String?, degree: String?,
        professional: String?, use: HumanName.Use?
    ) -> HumanName? {
        let given = [trimmed(given), trimmed(middle)].compactMap { $0 }
        let suffixes = [trimmed(suffix), trimmed(degree), trimmed(professional)].compactMap { $0 }
        let prefixes = [trimmed(prefix)].compactMap { $0 }
        let family = trimmed(family) ?? ""
        guard !family.isEmpty || !given.isEmpty else { return nil }
        return HumanName(
            family: family, given: given, prefix: prefixes, suffix: suffixes, use: use)
    }

    private func nameUse(_ element: some Element) -> HumanName.Use? {
        table(element, "0200", without: CodeSystems.namesOfNoUse) { CodeSystems.nameUses[$0] }
    }

    /// XAD: street, other, city, state, postal code, country, type, .9 county, .12 or .13 and .14 period, .19 addressee.
    func xad(_ value: Repetition) -> PostalAddress? {
        // SAD: the street address, or the name of the street and the number of the house.
        let street = [trimmed(value[1][1].text), trimmed(value[1][2].text), trimmed(value[1][3].text)].compactMap { $0 }
        let lines = [
            street.isEmpty ? nil : street.joined(separator: " "), trimmed(value[2].text), trimmed(value[19].text),
        ].compactMap { $0 }
        let address = PostalAddress(
            lines: lines, city: trimmed(value[3].text), district: trimmed(value[9].text), state: trimmed(value[4].text),
            postalCode: trimmed(value[5].text), country: trimmed(value[6].text),
            use: addressUse(value[7]), period: period(value[13], value[14], range: value[12]))
        var bare = address
        bare.use = nil
        bare.period = nil
        return bare == PostalAddress() ? nil : address
    }

    private func addressUse(_ element: some Element) -> PostalAddress.Use? {
        table(element, "0190", without: CodeSystems.addressesOfNoUse) { CodeSystems.addressUses[$0] }
    }

    /// XTN: .1 number, .2 use, .3 equipment, .4 mail, .5 to .8 parts of a number, .12 number as dialled.
    func xtn(_ value: Repetition, use fallback: ContactPoint.Use) -> [ContactPoint] {
        var points: [ContactPoint] = []
        let stated = table(value[2], "0201", without: CodeSystems.telecomsOfNoUse) { CodeSystems.telecomUses[$0] }
        // Where the type says nothing of the use, the field does; a type that nobody understands might contradict it.
        let isOfField = !value[2].isValued || ["NET", "ORN", "VHN"].contains(value[2].peekedText)
        let use = stated ?? (value[3].text == "CP" ? .mobile : isOfField ? fallback : nil)
        let equipment = table(value[3], "0202") { CodeSystems.telecomSystems[$0] }
        let system = equipment ?? (value[3].isValued ? .other : .phone)
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
    ///
    /// - Parameter table: the HL7 table of the field, whose code the first one is where it names no system.
    func cwe(_ value: Repetition, table: String? = nil) -> CodedConcept? {
        var codings: [CodedConcept.Coding] = []
        for first in [1, 4, 10] {
            guard let code = key(value[first]) else { continue }
            let name = key(value[first + 2])
            let named = name.flatMap(system(named:))
            if let named, name.flatMap(TextRule.reason) == nil { checked(named, madeOf: value[first + 2]) }
            let ofTable = name == nil && first == 1 ? table.map(CodeSystem.table) : nil
            codings.append(
                CodedConcept.Coding(system: named ?? ofTable, code: code, display: trimmed(value[first + 1].text)))
        }
        let text = trimmed(value[9].text) ?? (codings.isEmpty ? trimmed(value[2].text) : nil)
        return codings.isEmpty && text == nil ? nil : CodedConcept(codings: codings, text: text)
    }

    /// The system of a name of table 0396. A name that is not known here stands for itself; nil for the names of local
    /// codes (`L`, `99…`), which say no more than that.
    func system(named name: String) -> String? {
        if let known = profile.codeSystems[name] ?? CodeSystems.uri(name) { return known }
        // What has no name in table 0396 is written by its URI.
        if ["http://", "https://", "urn:"].contains(where: name.hasPrefix) { return name }
        return name == "L" || name.hasPrefix("99") ? nil : CodeSystem.uri(unknown: name)
    }

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
