import Access
import FHIRModel

/// The mapping of rows. IHE BALP 1.1; DICOM PS3.15 §A.5.3, PS3.16 CID 400 to 405.
extension AuditEvent {
    /// - Parameters:
    ///   - base: the FHIR base URL, by which the server is named.
    ///   - shown: the patients who may be named; nil for all.
    ///   - survivors: the patients into whose records those of the row were merged since.
    package init(
        _ row: AuditRow, base: String, shape: Shape, shown: Set<String>? = nil, survivors: Set<String> = []
    ) {
        let record = row.record
        number = row.number
        time = row.time
        patients = record.patientIDs.filter { shown?.contains($0) ?? true }
        self.survivors = survivors
        self.shape = shape
        self.base = base
        let kind = Kind(record)
        type = kind.type
        subtypes = kind.subtypes
        purpose = kind.purpose
        action = record.action.rawValue
        outcome = String(record.outcome.rawValue)
        outcomeText = shape == .whole ? record.detail.flatMap(Self.text) : nil
        agents = Self.agents(record, kind, base, shape)
        entities = Self.entities(record, kind, shape, patients)
        profile = Self.profile(record, kind, agents, entities, shape)
    }

    /// What kind of thing happened, in codes.
    private struct Kind {
        var type: Code
        var subtypes: [Code] = []
        /// The interaction of FHIR; nil for what is none.
        var restful: String?
        /// For what it was done, where that is told.
        var purpose: Code?
        /// Data leave the server: it is their source.
        var isDisclosure = false

        init(_ record: AuditRecord) {
            let name = record.interaction
            let own = AuditEvent.text(name).map { Code(ownSystem, $0, $0) }
            isDisclosure = record.action == .read
            switch record.category {
            case .rest, .query:
                if let interaction = restfulNames[name] {
                    type = rest
                    restful = interaction
                    if interaction == "search-type" { subtypes.append(Code(restfulSystem, "search", "search")) }
                    subtypes.append(Code(restfulSystem, interaction, interaction))
                    return
                }
                type = record.category == .rest ? rest : dicom("110112", "Query")
            case .transfer:
                type =
                    name.hasPrefix("workitem") || record.entity?.hasPrefix("workitem:") == true
                    ? dicom("110111", "Procedure Record") : dicom("110104", "DICOM Instances Transferred")
            case .export: type = name.hasPrefix("audit") ? trailUsed : dicom("110106", "Export")
            case .message: type = Self.message(name)
            case .authentication:
                type = dicom("110114", "User Authentication")
                if tokenNames.contains(name) {
                    subtypes.append(Code("urn:ihe:event-type-code", "ITI-71", "Get Access Token"))
                } else if name.hasPrefix("sign-in") {
                    subtypes.append(dicom("110122", "Login"))
                } else if name.hasPrefix("sign-out") {
                    subtypes.append(dicom("110123", "Logout"))
                }
            case .security:
                type = dicom("110113", "Security Alert")
                if name == AuditRecord.breakGlass {
                    purpose = Code("http://terminology.hl7.org/CodeSystem/v3-ActReason", "BTG", "break the glass")
                    // An attempt that opened nothing started nothing. PS3.16 CID 403.
                    if record.outcome == .success { subtypes.append(dicom("110127", "Emergency Override Started")) }
                }
            case .application:
                type = name.hasPrefix("audit") ? trailUsed : dicom("110100", "Application Activity")
                if name == "start" { subtypes.append(dicom("110120", "Application Start")) }
                if name == "stop" { subtypes.append(dicom("110121", "Application Stop")) }
            }
            if let own { subtypes.append(own) }
        }

        /// A message by its type: `ADT^A04`, `N-CREATE`.
        private static func message(_ name: String) -> Code {
            let type = name.prefix { $0 != "^" && $0 != "_" }
            switch type {
            case "ADT": return dicom("110110", "Patient Record")
            case "ORM", "OMG", "OMI", "ORG", "ORI", "ORR", "OML": return dicom("110109", "Order Record")
            case "ORU", "MDM": return dicom("110111", "Procedure Record")
            default:
                return name.hasPrefix("N-") || name.hasPrefix("C-")
                    ? dicom("110111", "Procedure Record")
                    : Code(
                        "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "receive",
                        "Receive/Retain Record Lifecycle Event")
            }
        }
    }

    // MARK: Agents

    private static func agents(_ record: AuditRecord, _ kind: Kind, _ base: String, _ shape: Shape) -> [Agent] {
        let isWhole = shape == .whole
        let network = isWhole ? record.sourceAddress.flatMap(text).map { Network(address: $0, type: "2") } : nil
        // What is read flows from the server; the words of a query, and what is written, to it.
        let (client, server) = kind.isDisclosure ? (destination, source) : (source, destination)
        let own = Agent(
            type: server, identifierSystem: nil, identifierValue: base, name: "Hilum",
            requestor: record.principal.kind == .server, network: Network(address: base, type: "5"))
        let principal = record.principal
        let id = text(principal.id) ?? "unknown"
        let token = isWhole ? record.tokenID.flatMap(token) : nil
        func caller(_ type: Code, _ system: String, _ id: String, requestor: Bool = true) -> Agent {
            Agent(
                type: type, identifierSystem: system, identifierValue: id, name: id, requestor: requestor,
                network: network)
        }
        switch principal.kind {
        case .server: return [own]
        case .person where outside(id).count == 3:
            // Of an outside authorization server: who they are there, and by which of its clients.
            let parts = outside(id)
            var person = caller(recipient, parts[0], parts[1])
            person.network = nil
            person.tokenID = token
            return [person, caller(client, parts[0], parts[2], requestor: false), own]
        case .person:
            let parts = id.split(separator: "|", maxSplits: 1).map { String($0) }
            var person = caller(recipient, "urn:hilum:account", parts.first ?? id)
            person.network = nil
            person.tokenID = token
            var browser = caller(client, "urn:hilum:client", parts.count > 1 ? parts[1] : "browser", requestor: false)
            browser.name = browser.identifierValue
            return [person, browser, own]
        case .operator:
            var person = caller(recipient, "urn:hilum:operator", id)
            person.network = nil
            return [person, own]
        case .client:
            let parts = outside(id)
            var application =
                parts.count == 2 ? caller(client, parts[0], parts[1]) : caller(client, "urn:hilum:client", id)
            application.tokenID = token
            return [application, own]
        case .applicationEntity: return [caller(client, "urn:hilum:ae-title", id), own]
        case .messageSender: return [caller(client, "urn:hilum:sender", id), own]
        case .anonymous: return [caller(client, "urn:hilum:anonymous", id), own]
        }
    }

    /// The parts of `issuer|subject|client` or `issuer|client`, as the issuer spells them; none for who is known here.
    private static func outside(_ id: String) -> [String] {
        guard id.hasPrefix("https://") else { return [] }
        return id.split(separator: "|", omittingEmptySubsequences: false).map {
            String($0).replacing("%7C", with: "|").replacing("%25", with: "%")
        }
    }

    private static func token(_ text: String) -> String? {
        guard !text.isEmpty, text.utf8.count <= 256, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return nil
        }
        return text
    }

    // MARK: Entities

    private static func entities(
        _ record: AuditRecord, _ kind: Kind, _ shape: Shape, _ patients: [String]
    ) -> [Entity] {
        var entities: [Entity] = []
        let isQuery = record.category == .query || record.query != nil
        if isQuery {
            // Of whoever sees the rows of a patient the words are kept: they may name others.
            let words = shape == .whole ? Self.query(record) : nil
            entities.append(
                Entity(
                    type: systemObject, role: Code(roleSystem, "24", "Query"),
                    name: words == nil ? record.entity.flatMap(text) ?? "query" : nil, query: words))
        }
        if let entity = record.entity, !(isQuery && kind.restful != nil) {
            entities.append(Self.entity(entity, isRefused: record.outcome != .success))
        }
        for patient in patients {
            entities.append(
                Entity(
                    type: Code(entityTypeSystem, "1", "Person"), role: Code(roleSystem, "1", "Patient"),
                    reference: Reference(type: "Patient", id: patient)))
        }
        if shape == .whole, let request = text(record.requestID) {
            entities.append(
                Entity(
                    type: Code(
                        "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId",
                        "X-Request-Id"),
                    identifier: Identifier(system: nil, value: request)))
        }
        return entities
    }

    /// What an entity's text names: `Type/id`, `Type/id/_history/1`, `study:1.2`, `instance:1.2 study:1.3`, or words.
    ///
    /// - Parameter isRefused: the text is what a caller asked for, and may name nothing that is.
    private static func entity(_ text: String, isRefused: Bool) -> Entity {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        if !isRefused, parts.count == 2 || parts.count == 4 && parts[2] == "_history",
            FHIRDefinitions.r4.isResourceType(parts[0]), PrimitiveFormat.isID(parts[1].utf8)
        {
            return Entity(
                type: systemObject, role: Code(roleSystem, "4", "Domain Resource"),
                reference: Reference(type: parts[0], id: parts[1], version: parts.count == 4 ? parts[3] : nil))
        }
        let words = text.split(separator: " ").map { String($0) }
        for word in words where word.hasPrefix("study:") && word.utf8.count > 6 {
            let uid = String(word.dropFirst(6))
            guard uid.utf8.allSatisfy({ 0x30...0x39 ~= $0 || $0 == 0x2E }) else { continue }
            return Entity(
                type: systemObject, role: Code(roleSystem, "3", "Report"),
                identifier: Identifier(system: Datatypes.dicomUIDSystem, value: "urn:oid:" + uid),
                name: words.first { $0.hasPrefix("instance:") } ?? words.first { $0.hasPrefix("series:") })
        }
        let role: Code? =
            if text.hasPrefix("export:") {
                Code(roleSystem, "20", "Job")
            } else if text.hasPrefix("client:") || text.hasPrefix("account:") {
                Code(roleSystem, "11", "Security User Entity")
            } else { nil }
        return Entity(type: systemObject, role: role, name: Self.text(text) ?? "unnamed")
    }

    /// The words of a query behind what was asked, without what lets somebody in.
    private static func query(_ record: AuditRecord) -> String? {
        guard let query = record.query else { return nil }
        let kept = query.split(separator: "&", omittingEmptySubsequences: false).map { pair -> String in
            let name = pair.prefix { $0 != "=" }.lowercased()
            return secretNames.contains(where: name.contains) ? "\(name)=(not kept)" : String(pair)
        }.joined(separator: "&")
        guard let entity = record.entity else { return kept.isEmpty ? nil : kept }
        return kept.isEmpty ? entity : "\(entity)?\(kept)"
    }

    private static let secretNames = ["token", "password", "secret", "assertion", "code_verifier", "_page"]

    // MARK: Profile

    /// The profile of a row that is all that its profile asks.
    private static func profile(
        _ record: AuditRecord, _ kind: Kind, _ agents: [Agent], _ entities: [Entity], _ shape: Shape
    ) -> String? {
        guard shape == .whole, record.outcome == .success, let restful = kind.restful,
            agents.contains(where: { $0.network?.type == "2" })
        else { return nil }
        let name: String
        switch (restful, record.action) {
        case ("read", .read), ("vread", .read): name = "Read"
        case ("create", .create): name = "Create"
        case ("update", .update), ("patch", .update): name = "Update"
        case ("delete", .delete): name = "Delete"
        case ("search-type", .execute): name = "Query"
        default: return nil
        }
        guard
            name == "Query"
                ? entities.contains(where: { $0.query != nil })
                : entities.contains(where: { $0.role?.code == "4" && $0.reference != nil })
        else { return nil }
        return "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
            + (record.patientID == nil ? "" : "Patient") + name
    }

    /// A text as FHIR's `string` has it: without control characters and blanks at its ends; nil for an empty one.
    private static func text(_ text: String) -> String? {
        let plain = String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(1_000).map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
        let words = plain.split(separator: " ").joined(separator: " ")
        return words.isEmpty ? nil : words
    }

    // MARK: Codes

    private static let restfulSystem = "http://hl7.org/fhir/restful-interaction"
    private static let entityTypeSystem = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
    private static let roleSystem = "http://terminology.hl7.org/CodeSystem/object-role"
    /// Of what no published list has: the name under which the row was written.
    private static let ownSystem = "urn:hilum:audit-interaction"
    private static let rest = Code(
        "http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "RESTful Operation")
    private static let trailUsed = dicom("110101", "Audit Log Used")
    private static let source = dicom("110153", "Source Role ID")
    private static let destination = dicom("110152", "Destination Role ID")
    private static let recipient = Code(
        "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", "information recipient")
    private static let systemObject = Code(entityTypeSystem, "2", "System Object")
    private static let tokenNames: Set<String> = ["token", "refresh"]
    /// How rows name interactions of FHIR.
    private static let restfulNames: [String: String] = {
        let names = [
            "read", "vread", "update", "patch", "delete", "create", "history-instance", "history-type",
            "history-system", "search-type",
        ]
        return Dictionary(uniqueKeysWithValues: names.map { ($0, $0) })
    }()

    private static func dicom(_ code: String, _ display: String) -> Code {
        Code("http://dicom.nema.org/resources/ontology/DCM", code, display)
    }
}
