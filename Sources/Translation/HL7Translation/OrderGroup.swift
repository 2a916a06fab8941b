import HL7v2
import Workflow

/// The segments of one order or result in a message: ORC and OBR with all that follows up to the next pair.
struct OrderGroup: Sendable {
    var orc: Segment?
    var obr: Segment?
    /// The segments of the group in order, ORC and OBR included.
    var segments: [Segment] = []

    /// The groups of a message. ORC begins one; OBR begins one when the current one has an OBR already.
    ///
    /// Segments before the first group (PID, PV1, AL1) belong to none. A ZDS at the end of a message of several
    /// groups belongs to the last.
    static func groups(in message: Message) -> [OrderGroup] {
        var groups: [OrderGroup] = []
        for segment in message.segments {
            if segment.id == "ORC" {
                groups.append(OrderGroup(orc: segment))
            } else if segment.id == "OBR" {
                if groups.last?.obr != nil || groups.isEmpty { groups.append(OrderGroup()) }
                groups[groups.count - 1].obr = segment
            }
            if !groups.isEmpty { groups[groups.count - 1].segments.append(segment) }
        }
        return groups
    }

    /// The first segment of that name in the group.
    func segment(_ id: SegmentID) -> Segment? { segments.first { $0.id == id } }
    func segments(_ id: SegmentID) -> [Segment] { segments.filter { $0.id == id } }

    /// Where an error in this group is.
    var location: ErrorLocation { (obr ?? orc)?.location() ?? ErrorLocation(segment: "OBR") }

    /// The place a path names: within the group, else in the message (for PID, PV1 and the like).
    func value(at path: FieldPath, in message: Message) -> Subcomponent? {
        let own = segments(path.segment)
        let segment =
            own.isEmpty
            ? message.segment(path.segment, occurrence: path.occurrence)
            : (path.occurrence <= own.count ? own[path.occurrence - 1] : nil)
        guard let segment else { return nil }
        return segment[path.field][path.repetition][path.component ?? 1][path.subcomponent ?? 1]
    }

    /// The first valued path that the site gives for a value; nil when the site gives none or none is valued.
    func override(_ name: SiteProfile.FieldName, in message: Message, profile: SiteProfile) -> Subcomponent? {
        for path in profile.fields[name] ?? [] {
            if let found = value(at: path, in: message), found.isValued { return found }
        }
        return nil
    }
}

/// The numbers that name an order, shared by orders and results.
struct OrderNumbers: Sendable {
    var placer: Identifier?
    var filler: Identifier?
    var accession: Identifier?
    /// ORC and OBR name different numbers: ORC was taken.
    var notes: [String] = []

    init(_ group: OrderGroup, in message: Message, types: DataTypes) {
        let profile = types.profile
        (placer, notes) = OrderNumbers.either(
            group.orc?[2], group.obr?[2], fallback: profile.placerSystem, kind: .placer, types: types)
        let (filler, fillerNotes) = OrderNumbers.either(
            group.orc?[3], group.obr?[3], fallback: profile.fillerSystem, kind: .filler, types: types)
        self.filler = filler
        notes += fillerNotes
        let system = profile.authorities.defaultAccessionSystem
        if let value = group.override(.accession, in: message, profile: profile)?.text, let id = types.trimmed(value) {
            accession = Identifier(system: system, value: id, kind: .accession)
        } else if let ipc = group.segment("IPC"), ipc[1].isValued {
            accession = types.ei(ipc[1][1], fallback: system, kind: .accession)
        } else if let obr = group.obr, obr[18].isValued {
            accession = types.ei(obr[18][1], fallback: system, kind: .accession)
        }
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
    static func studyInstanceUIDs(_ group: OrderGroup, in message: Message, types: DataTypes) -> [String] {
        var found: [String] = []
        func add(_ text: String?) {
            guard let uid = types.trimmed(text), isUID(uid), !found.contains(uid) else { return }
            found.append(uid)
        }
        add(group.override(.studyInstanceUID, in: message, profile: types.profile)?.text)
        for ipc in group.segments("IPC") { add(ipc[3].text) }
        add((group.segment("ZDS") ?? message["ZDS"])?[1].text)
        for obx in group.segments("OBX") where isStudyObservation(obx) { add(obx[5].text) }
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
