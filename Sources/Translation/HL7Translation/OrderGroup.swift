import HL7v2
import Workflow

/// One ORDER or ORDER_OBSERVATION group of a message, with the patient it belongs to. HL7 v2.5.1 §4.4, §7.3.1.
struct OrderGroup: Sendable {
    /// The group's own ORC.
    let orc: Segment?
    /// The ORC that says what is asked: the group's own, or, for a second OBR under one ORC, the one before it.
    let controlling: Segment?
    let obr: Segment?
    /// The segments of the group in order, ORC and OBR included; those of a PRIOR_RESULT are no part of the order.
    let segments: [Segment]
    /// The ZDS that holds the study UID of all groups: the only one of the message. IHE RAD TF-2 §4.4.4.1.2.4.
    let commonStudy: Segment?
    /// PID and what follows it; nil where the message names no patient.
    let patient: SegmentGroup?

    /// The groups of that name below a group that has one patient.
    static func groups(_ name: String, in parent: SegmentGroup) -> [OrderGroup] {
        var groups: [OrderGroup] = []
        let studies = parent.everySegment.filter { $0.id == "ZDS" }
        for group in parent.groups(name) {
            // What ORC, OBR and their details are called differs by message; PRIOR_RESULT is told by its name.
            let own = group.segmentsWithout("PRIOR_RESULT")
            let orc = own.first { $0.id == "ORC" }
            groups.append(
                OrderGroup(
                    orc: orc, controlling: orc ?? groups.last?.controlling, obr: own.first { $0.id == "OBR" },
                    segments: own, commonStudy: studies.count == 1 ? studies[0] : nil,
                    patient: parent.group("PATIENT")))
        }
        return groups
    }

    /// The first segment of that name in the group.
    func segment(_ id: SegmentID) -> Segment? { segments.first { $0.id == id } }
    func segments(_ id: SegmentID) -> [Segment] { segments.filter { $0.id == id } }

    /// The notes to the order itself; those behind an OBX are the observation's.
    var notes: [Segment] {
        var notes: [Segment] = []
        var isBehindObservation = false
        for segment in segments {
            if segment.id == "OBX" { isBehindObservation = true }
            if ["ORC", "OBR", "TQ1", "IPC", "DG1"].contains(segment.id) { isBehindObservation = false }
            if segment.id == "NTE", !isBehindObservation { notes.append(segment) }
        }
        return notes
    }

    /// The visit that the group's patient is in.
    var visit: Segment? { patient?.group("PATIENT_VISIT")?["PV1"] }
    /// PV2 of the same.
    var visitMore: Segment? { patient?.group("PATIENT_VISIT")?["PV2"] }

    /// Where an error in this group is.
    var location: ErrorLocation { (obr ?? orc)?.location() ?? ErrorLocation(segment: "OBR") }

    /// The place a path names: within the group, else with its patient (for PID, PV1 and the like).
    func value(at path: FieldPath) -> Subcomponent? {
        segment(at: path)?[path.field][path.repetition][path.component ?? 1][path.subcomponent ?? 1]
    }

    private func segment(at path: FieldPath) -> Segment? {
        var candidates = segments(path.segment)
        if candidates.isEmpty { candidates = patient?.everySegment.filter { $0.id == path.segment } ?? [] }
        return path.occurrence <= candidates.count ? candidates[path.occurrence - 1] : nil
    }

    /// The first valued path that the site gives for a value; nil when the site gives none or none is valued.
    func override(_ name: SiteProfile.FieldName, profile: SiteProfile) -> Subcomponent? {
        for path in profile.fields[name] ?? [] {
            if let found = value(at: path), found.isValued { return found }
        }
        return nil
    }
}

extension SegmentGroup {
    /// Every segment of the group but those in groups of that name, in order.
    func segmentsWithout(_ name: String) -> [Segment] {
        guard groups.contains(where: { $0.name == name }) else { return everySegment }
        return (segments + groups.filter { $0.name != name }.flatMap(\.everySegment)).sorted {
            $0.position < $1.position
        }
    }

    /// Reads the set ids (`PID-1`, `OBX-1`), which say no more than the order of the segments does.
    func noteSetIDs() {
        for segment in everySegment where Self.numbered.contains(segment.id) { _ = segment[1].text }
    }

    private static let numbered: Set<SegmentID> = [
        "PID", "PV1", "NK1", "OBR", "OBX", "NTE", "AL1", "DG1", "IN1", "GT1", "TQ1", "SPM", "PR1",
    ]

    /// The group's first own segment of that name. Throws `MessageRefusal` (100) when there is none.
    func required(_ id: SegmentID) throws -> Segment {
        guard let segment = self[id] else {
            throw MessageRefusal(.segmentSequenceError, at: ErrorLocation(segment: id), "\(id) is missing")
        }
        return segment
    }
}

/// The numbers that name an order, shared by orders and results.
struct OrderNumbers: Sendable {
    var placer: Identifier?
    var filler: Identifier?
    var accession: Identifier?
    /// ORC and OBR name different numbers: ORC was taken.
    var notes: [String] = []

    init(_ group: OrderGroup, types: DataTypes) {
        let profile = types.profile
        (placer, notes) = types.into("ServiceRequest.identifier") {
            OrderNumbers.either(
                group.orc?[2], group.obr?[2], fallback: profile.placerSystem, kind: .placer, types: types)
        }
        let (filler, fillerNotes) = types.into("ServiceRequest.identifier") {
            OrderNumbers.either(
                group.orc?[3], group.obr?[3], fallback: profile.fillerSystem, kind: .filler, types: types)
        }
        self.filler = filler
        notes += fillerNotes
        if group.orc == nil, let leading = group.controlling, placer == nil, self.filler == nil {
            // A further OBR under one ORC that has no number of its own. HL7 v2.5.1 §4.5.1.1.
            (placer, self.filler) = types.into("ServiceRequest.identifier") {
                (
                    types.ei(leading[2][1], fallback: profile.placerSystem, kind: .placer),
                    types.ei(leading[3][1], fallback: profile.fillerSystem, kind: .filler)
                )
            }
        }
        accession = types.into("ServiceRequest.identifier") { OrderNumbers.accession(group, types: types) }
    }

    private static func accession(_ group: OrderGroup, types: DataTypes) -> Identifier? {
        let system = types.profile.authorities.defaultAccessionSystem
        if let id = group.override(.accession, profile: types.profile).flatMap({ types.key($0) }) {
            return Identifier(system: system, value: id, kind: .accession)
        }
        if let ipc = group.segment("IPC"), ipc[1].isValued {
            return types.ei(ipc[1][1], fallback: system, kind: .accession)
        }
        guard let obr = group.obr, obr[18].isValued else { return nil }
        return types.ei(obr[18][1], fallback: system, kind: .accession)
    }

    private static func either(
        _ orc: Field?, _ obr: Field?, fallback: String, kind: Identifier.Kind, types: DataTypes
    ) -> (Identifier?, [String]) {
        let first = orc.flatMap { types.ei($0[1], fallback: fallback, kind: kind) }
        let second = obr.flatMap { types.ei($0[1], fallback: fallback, kind: kind) }
        if let first, let second, !first.matches(second) {
            return (first, ["ORC and OBR name different \(kind == .placer ? "placer" : "filler") numbers: ORC taken"])
        }
        return (first ?? second, [])
    }

    /// Study Instance UIDs that the group names: IPC-3, then ZDS-1, then OBX 113014 or 110180. Only legal UIDs.
    static func studyInstanceUIDs(_ group: OrderGroup, types: DataTypes) -> [String] {
        var found: [String] = []
        func add(_ text: String?) {
            guard let uid = types.trimmed(text), isUID(uid), !found.contains(uid) else { return }
            found.append(uid)
        }
        types.into("ImagingStudy.identifier") {
            add(group.override(.studyInstanceUID, profile: types.profile)?.text)
            for ipc in group.segments("IPC") { add(ipc[3].text) }
            add((group.segment("ZDS") ?? group.commonStudy)?[1].text)
            for obx in group.segments("OBX") where isStudyObservation(obx) { add(obx[5].text) }
        }
        return found
    }

    /// OBX-3 `113014^DICOM Study^DCM` or `110180^Study Instance UID^DCM`.
    static func isStudyObservation(_ obx: Segment) -> Bool {
        let code = obx[3].text
        return code == "113014" || code == "110180"
    }

    /// Digits and dots, 1 to 64 characters, components not empty. PS3.5 §9.1. Longer ones are let through, for the
    /// domain to refuse with a reason.
    private static func isUID(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, let last = bytes.last, first != 0x2E, last != 0x2E, bytes.count <= 256 else {
            return false
        }
        return bytes.allSatisfy { $0 == 0x2E || ($0 >= 0x30 && $0 <= 0x39) } && bytes.contains(0x2E)
    }
}
