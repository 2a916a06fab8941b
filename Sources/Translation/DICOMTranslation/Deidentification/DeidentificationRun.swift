import DICOMData

/// The de-identification of the elements of one object.
struct DeidentificationRun {
    let profile: DeidentificationProfile
    let pseudonyms: Pseudonyms
    let subject: DeidentificationSubject
    private let text: CleanedText
    private let daysBack: Int

    init(profile: DeidentificationProfile, pseudonyms: Pseudonyms, subject: DeidentificationSubject) {
        self.profile = profile
        self.pseudonyms = pseudonyms
        self.subject = subject
        text = CleanedText(siteWords: profile.safeWords, identifying: subject.identifyingWords)
        let shift = pseudonyms.shift(subject.id, issuer: subject.issuer, max: profile.shiftMax)
        daysBack = profile.keepsWeekday ? shift * 7 : shift
    }

    /// Where a data set stands.
    struct Place {
        /// Sequences around it.
        var depth = 0
        /// In a sequence that is cleaned: text that the table does not list is cleaned too.
        var isCleaned = false

        func inside(cleaning: Bool = false) -> Place { Place(depth: depth + 1, isCleaned: isCleaned || cleaning) }
    }

    /// What becomes of an element.
    enum Change {
        case keep, drop
        case set(DataElement)
    }

    /// Sequences inside sequences that an element of UN is read to; real objects reach 12.
    static let depthMax = 16

    func cleaned(_ dataSet: DataSet, at place: Place = Place()) -> DataSet {
        if place.isCleaned, CodeEntry.isCode(dataSet), !CodeEntry.isPublic(dataSet) { return dummied(dataSet) }
        let safe = safePrivateTags(dataSet)
        return applying(to: dataSet) { element in
            element.tag.isPrivate && !element.tag.isGroupLength
                ? privateChange(element, safe, at: place) : change(element, of: dataSet, at: place)
        }
    }

    /// The elements as `change` makes them: what is put in is in the character set of the data set.
    private func applying(to dataSet: DataSet, _ change: (DataElement) -> Change) -> DataSet {
        var result = dataSet
        var dropped: Set<Tag> = []
        for element in dataSet.elements {
            switch change(element) {
            case .keep: continue
            case .drop: dropped.insert(element.tag)
            case .set(let changed): result[element.tag] = changed
            }
        }
        if !dropped.isEmpty { result.removeAll { dropped.contains($0.tag) } }
        return result
    }

    private func change(_ element: DataElement, of dataSet: DataSet, at place: Place) -> Change {
        let tag = element.tag
        // Commands and file meta information are no part of a data set. PS3.7 §6.3, PS3.10 §7.1.
        if tag.isGroupLength || tag.group <= 2 || tag.group == 0xFFFE { return .drop }
        // Pixels in items are icons and their like: nothing says what is burned in.
        if tag.isPixelData { return place.depth == 0 ? .keep : .drop }
        // A plane without its bits is none. PS3.3 §C.9.2.
        if tag.group & 0xFF01 == 0x6000 { return .drop }
        guard DataDictionary.vr(tag) != nil else { return .drop }
        guard let decision = ConfidentialityProfile.decision(tag, profile.options) else {
            let action = UnlistedAttribute.action(tag, Self.vr(element), profile.options)
            return done(action, element, of: dataSet, at: place)
        }
        if decision.action == .clean {
            return cleaned(element, of: dataSet, at: place)
                ?? done(decision.basic, element, of: dataSet, at: place)
        }
        return done(decision.action, element, of: dataSet, at: place)
    }

    private func done(
        _ action: ConfidentialityProfile.Action, _ element: DataElement, of dataSet: DataSet, at place: Place
    ) -> Change {
        let vr = Self.vr(element)
        switch action {
        case .keep:
            return kept(element, of: dataSet, at: place)
        case .remove, .clean:
            return .drop
        case .empty:
            return pseudonym(element, of: dataSet) ?? .set(DataElement(element.tag, vr, Self.none(vr)))
        case .dummy:
            if element.isEmpty { return .set(DataElement(element.tag, vr, Self.none(vr))) }
            if let pseudonym = pseudonym(element, of: dataSet) { return pseudonym }
            if vr == .SQ || element.items != nil {
                guard let items = items(element, of: dataSet, at: place) else {
                    return .set(DataElement(element.tag, .SQ, .items([])))
                }
                return .set(DataElement(element.tag, .SQ, .items(items.map(dummied))))
            }
            if vr == .UI { return uids(element, of: dataSet) }
            return .set(DataElement(element.tag, vr, bytes: DummyValue.bytes(vr)))
        case .uid:
            if vr == .SQ || element.items != nil { return kept(element, of: dataSet, at: place) }
            return uids(element, of: dataSet)
        }
    }

    // MARK: What stays

    private func kept(_ element: DataElement, of dataSet: DataSet, at place: Place) -> Change {
        if Self.vr(element) == .SQ || element.items != nil {
            guard let items = items(element, of: dataSet, at: place) else { return .drop }
            let inside = place.inside()
            return .set(DataElement(element.tag, .SQ, .items(items.map { cleaned($0, at: inside) })))
        }
        if case .fragments = element.value { return .drop }
        return place.isCleaned ? cleanedInside(element, of: dataSet) : .keep
    }

    private func privateChange(_ element: DataElement, _ safe: Set<Tag>, at place: Place) -> Change {
        guard safe.contains(element.tag) else { return .drop }
        guard let items = element.items else { return .keep }
        let inside = place.inside()
        return .set(DataElement(element.tag, .SQ, .items(items.map { cleaned($0, at: inside) })))
    }

    /// The private elements that the site calls safe, and the creators of their blocks. PS3.15 §E.3.10.
    private func safePrivateTags(_ dataSet: DataSet) -> Set<Tag> {
        guard profile.options.contains(.retainSafePrivate), !profile.safePrivate.isEmpty else { return [] }
        var safe: Set<Tag> = []
        for element in dataSet.elements {
            guard let creatorTag = element.tag.privateCreatorTag, let creator = dataSet.string(creatorTag) else {
                continue
            }
            let named = DeidentificationProfile.PrivateElement(
                group: element.tag.group, creator: creator, element: UInt8(truncatingIfNeeded: element.tag.element))
            if profile.safePrivate.contains(named) { safe.formUnion([element.tag, creatorTag]) }
        }
        return safe
    }

    // MARK: What is cleaned

    /// nil where the value cannot be cleaned.
    private func cleaned(_ element: DataElement, of dataSet: DataSet, at place: Place) -> Change? {
        if element.isEmpty { return .keep }
        let vr = Self.vr(element)
        if vr == .SQ || element.items != nil {
            guard let items = items(element, of: dataSet, at: place) else { return nil }
            let inside = place.inside(cleaning: true)
            return .set(DataElement(element.tag, .SQ, .items(items.map { cleaned($0, at: inside) })))
        }
        switch vr {
        case .DA, .DT, .TM: return dates(element, vr, of: dataSet)
        case .LO, .LT, .SH, .ST, .UC, .UT:
            // Days are shifted whole, so that the offset from UTC stays what it was.
            if element.tag == .timezoneOffsetFromUTC { return Self.isOffset(element, dataSet) ? .keep : nil }
            let words = dataSet.strings(element).map(text.text)
            guard words.contains(where: { !$0.isEmpty }) else { return nil }
            var changed = DataSet(inheriting: dataSet.characterSet)
            changed.set(element.tag, vr, strings: words)
            guard changed.characterSet == dataSet.characterSet else { return nil }
            return changed[element.tag].map { .set($0) }
        default: return nil
        }
    }

    private func dates(_ element: DataElement, _ vr: VR, of dataSet: DataSet) -> Change? {
        guard profile.options.contains(.retainModifiedDates) else {
            return profile.options.contains(.retainFullDates) ? .keep : nil
        }
        let values = dataSet.strings(element)
        let shifted = values.compactMap { ShiftedDate.text($0, vr, daysBack: daysBack) }
        guard shifted.count == values.count else { return nil }
        return .set(DataElement(element.tag, vr, bytes: Array(shifted.joined(separator: "\\").utf8)))
    }

    private static func isOffset(_ element: DataElement, _ dataSet: DataSet) -> Bool {
        dataSet.strings(element).allSatisfy { DICOMDateTime.offsetMinutes($0) != nil }
    }

    /// An element that the table does not list, in a sequence that is cleaned: codes of public schemes stay, with
    /// meanings of known words.
    private func cleanedInside(_ element: DataElement, of dataSet: DataSet) -> Change {
        let vr = Self.vr(element)
        if CodeEntry.isCode(dataSet), CodeEntry.isIdentifier(element.tag) { return .keep }
        switch vr {
        case .DA, .DT, .TM, .LO, .LT, .SH, .ST, .UC, .UT:
            if let change = cleaned(element, of: dataSet, at: Place(isCleaned: true)) { return change }
        case .AE, .AS, .PN, .UR, .OB, .UN: break
        case .UI: return profile.options.contains(.retainUIDs) ? .keep : uids(element, of: dataSet)
        default: return .keep
        }
        if element.isEmpty { return .keep }
        return .set(DataElement(element.tag, vr, bytes: DummyValue.bytes(vr)))
    }

    // MARK: What takes the place of a value

    /// An item of which nothing is left but its form: the kinds and relations of content items, and UIDs as they are
    /// replaced everywhere.
    private func dummied(_ item: DataSet) -> DataSet {
        applying(to: item) { element in
            let vr = Self.vr(element)
            if element.tag.isPrivate || element.tag.isGroupLength || element.tag.isPixelData
                || DataDictionary.vr(element.tag) == nil || element.tag == .specificCharacterSet
            {
                return .drop
            }
            if vr == .SQ || element.items != nil {
                let items = element.items ?? []
                return .set(DataElement(element.tag, .SQ, .items(items.map(dummied))))
            }
            if element.isEmpty || ContentForm.isForm(element, item) { return .keep }
            if vr == .UI {
                return profile.options.contains(.retainUIDs) && Self.areUIDs(element, item)
                    ? .keep : uids(element, of: item)
            }
            return .set(DataElement(element.tag, vr, bytes: DummyValue.bytes(vr)))
        }
    }

    private static func areUIDs(_ element: DataElement, _ dataSet: DataSet) -> Bool {
        dataSet.strings(element).allSatisfy { UID.isSafe($0) }
    }

    private func uids(_ element: DataElement, of dataSet: DataSet) -> Change {
        let uids = dataSet.strings(element).map { $0.isEmpty ? "" : pseudonyms.uid($0) }
        var changed = DataSet()
        changed.set(element.tag, .UI, strings: uids)
        return changed[element.tag].map { .set($0) } ?? .drop
    }

    /// For the patient's id and name and the accession number; an empty value has none.
    private func pseudonym(_ element: DataElement, of dataSet: DataSet) -> Change? {
        guard let value = dataSet.string(element.tag) else { return nil }
        let ownID = dataSet.string(.patientID)
        let id = ownID ?? subject.id
        let issuer = ownID == nil ? subject.issuer : dataSet.string(.issuerOfPatientID) ?? ""
        let text: String
        switch element.tag {
        case .patientID: text = pseudonyms.patientID(id, issuer: issuer)
        case .patientName: text = pseudonyms.patientName(id, issuer: issuer)
        case .accessionNumber:
            let issuers = dataSet.item(.issuerOfAccessionNumberSequence)
            text = pseudonyms.accessionNumber(
                value, issuer: issuers?.string(.universalEntityID) ?? issuers?.string(.localNamespaceEntityID) ?? "")
        default: return nil
        }
        return .set(DataElement(element.tag, Self.vr(element), bytes: Array(text.utf8)))
    }

    private static func none(_ vr: VR) -> DataElement.Value { vr == .SQ ? .items([]) : .bytes([]) }

    // MARK: What an element is

    /// The VR by the dictionary where the element's own is UN, or where it denies a sequence. PS3.5 §6.2.2.
    static func vr(_ element: DataElement) -> VR {
        guard let known = DataDictionary.vr(element.tag) else { return element.vr }
        return element.vr == .UN || known == .SQ ? known : element.vr
    }

    /// The items of a sequence, also of one that is of UN: in Implicit VR Little Endian then. nil for what is none, for
    /// what was left in its source, and deeper than `depthMax`. PS3.5 §6.2.2.
    private func items(_ element: DataElement, of dataSet: DataSet, at place: Place) -> [DataSet]? {
        guard place.depth < Self.depthMax else { return nil }
        if let items = element.items { return items }
        guard let bytes = element.bytes else { return nil }
        return UnknownSequence.items(bytes, inheriting: dataSet.characterSet)
    }
}
