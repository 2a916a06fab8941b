import Basics
import Cryptography
import FHIRModel
import FHIRResources
import Workflow

/// A line of an import, read: what it changes, or why it is refused.
struct ImportLine: Sendable {
    enum Content: Sendable {
        /// - Parameter name: the resource that is written, as `Type/id`.
        case change(ResourceChange, name: String)
        case refused(OperationOutcome)
    }

    /// From 1.
    let number: Int64
    /// Bytes of the file up to its end.
    let end: Int64
    let byteCount: Int
    let content: Content
}

/// Reads lines of an import as the bodies of updates: what holds for one of those holds for a line.
struct ImportLineReading: Sendable {
    let service: ImportService
    let ids: ImportJob.IDRule
    /// The base that the resources are from, with a slash at its end.
    let source: String?
    let requestID: String

    private var check: ResourceCheck { service.check }

    /// - Parameter type: what the file is said to hold.
    func read(_ line: NDJSONReader.Line, type: String) -> ImportLine {
        let content: ImportLine.Content
        do {
            guard let bytes = line.bytes else {
                throw OutcomeError(
                    status: 413,
                    outcome: OperationOutcome(
                        .error, .tooLong, details: "a line of at most \(check.limits.json.bytesMax) bytes is taken"))
            }
            content = try change(bytes, type: type)
        } catch {
            content = .refused(service.refusal(of: error, requestID: requestID))
        }
        return ImportLine(number: line.number, end: line.end, byteCount: line.bytes?.count ?? 0, content: content)
    }

    private func change(_ bytes: [UInt8], type: String) throws -> ImportLine.Content {
        let document: JSONDocument
        do { document = try JSONDocument(parsing: bytes, limits: check.limits.json) } catch {
            throw InteractionError(.malformed, "\(error.sentence) (byte \(error.offset) of the line)")
        }
        if type == AuditEvent.type { throw AuditEvents.readOnly }
        var resource = try check.resource(document, type: type, saidBy: "the list of files")
        guard let sent = resource.id else {
            throw InteractionError(.invalid, "the resource has no id: an import writes resources by their ids")
        }
        var id = sent
        if let source {
            resource = try resource.replacingLinks { text, kind in
                switch kind {
                case .reference: reference(text, from: source)
                case .uri: attachment(text, from: source)
                case .narrative: nil
                }
            }
        }
        if ids == .mapped, let source {
            id = Self.mapped(type, sent, from: source)
            var value = JSONValue(resource.document)
            value["id"] = .string(id)
            resource = try Resource(value)
        }
        return .change(ResourceChange(type, .update(resource.document), .id(id)), name: "\(type)/\(id)")
    }

    /// What takes the place of a reference to another resource of the source; nil for one that stays as it is.
    private func reference(_ text: String, from source: String) -> String? {
        guard case .relative(let type, let id, let version) = Reference(text).relative(to: source) else { return nil }
        if ids == .mapped { return "\(type)/\(Self.mapped(type, id, from: source))" }
        let own = Reference.relative(type: type, id: id, version: version).text
        return own == text ? nil : own
    }

    /// What takes the place of an address of a Binary of the source, which exports write in full: where an attachment lies.
    /// Other URIs are names, and stay.
    private func attachment(_ text: String, from source: String) -> String? {
        guard text.contains("Binary/"), case .relative("Binary", _, _) = Reference(text).relative(to: source) else {
            return nil
        }
        return reference(text, from: source)
    }

    /// 128 bits of the digest of source, type and id, as an id: the same whenever the same is imported.
    static func mapped(_ type: String, _ id: String, from source: String) -> String {
        Hexadecimal.encode(SHA256.digest(Array("\(source)\(type)/\(id)".utf8)).prefix(16))
    }
}

extension OperationOutcome {
    /// As one line of NDJSON that says where it is about: the file in the extension `operationoutcome-file`, its line in
    /// `operationoutcome-issue-line` of each issue. FHIR R4 extensions of OperationOutcome.
    /// - Parameter line: nil for the file as a whole.
    func bytes(ofFile url: String, line: Int64?) -> [UInt8] {
        var value = value
        let base = "http://hl7.org/fhir/StructureDefinition/operationoutcome-"
        value["extension"] = [["url": .string(base + "file"), "valueString": .string(url)]]
        if let line {
            value["issue"] = .array(
                (value["issue"]?.array ?? []).map { issue in
                    var issue = issue
                    issue["extension"] = [
                        ["url": .string(base + "issue-line"), "valueInteger": .number(String(line))]
                    ]
                    return issue
                })
        }
        return JSONWriter.compact(value)
    }
}
