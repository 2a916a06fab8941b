import Basics

/// The body of a call of a hook, as far as it is read here. CDS Hooks 2.0 §HTTP Request.
///
/// The ids of its context are the caller's own: only where the caller's FHIR server is this one do they name what is here.
struct CDSHookCall: Sendable {
    /// A patient's identifier as the caller's Patient has it.
    struct Identifier: Sendable, Hashable {
        let system: String
        let value: String
    }

    /// Why a body is refused; said to the caller.
    struct Refusal: Error, Sendable, Hashable {
        let isMissingPrefetch: Bool
        let text: String
    }

    /// Objects and arrays within each other.
    static let depthMax = 40
    /// Identifiers of the patient that are looked up.
    static let identifiersMax = 20

    let hook: String
    /// `context.patientId`.
    let patientID: String
    /// `fhirServer`.
    let fhirServer: String?
    /// Of `prefetch.patient`; empty where it was not sent.
    let identifiers: [Identifier]

    /// Throws ``Refusal`` for what is no such call.
    init(_ bytes: [UInt8]) throws(Refusal) {
        func wrong(_ text: String) -> Refusal { Refusal(isMissingPrefetch: false, text: text) }
        guard let root = try? JSONTree.read(bytes, depthMax: Self.depthMax), case .object = root.value else {
            throw wrong("The body is no JSON object")
        }
        guard let hook = Self.text(root, "hook"), let instance = Self.text(root, "hookInstance"), !instance.isEmpty
        else {
            throw wrong("hook and hookInstance are needed")
        }
        guard let context = Self.member(root, "context"), let patient = Self.text(context, "patientId"),
            (1...64).contains(patient.utf8.count)
        else { throw wrong("context.patientId is needed") }
        self.hook = hook
        patientID = patient
        fhirServer = Self.text(root, "fhirServer")
        let prefetched = Self.member(root, "prefetch").flatMap { Self.member($0, "patient") }
        identifiers = prefetched.map { Self.identifiers($0) } ?? []
    }

    private static func identifiers(_ patient: JSONTree) -> [Identifier] {
        guard case .array(let items)? = member(patient, "identifier")?.value else { return [] }
        return items.prefix(identifiersMax).compactMap { item in
            guard let system = text(item, "system"), let value = text(item, "value"), !value.isEmpty,
                system.utf8.count <= 1000, value.utf8.count <= 1000, text(item, "use") != "old"
            else { return nil }
            return Identifier(system: system, value: value)
        }
    }

    /// The first member of the name.
    private static func member(_ tree: JSONTree, _ name: String) -> JSONTree? {
        guard case .object(let members) = tree.value else { return nil }
        return members.first { $0.key == name }?.tree
    }

    /// Nil also for a text with NUL in it.
    private static func text(_ tree: JSONTree, _ name: String) -> String? {
        guard case .string(let text)? = member(tree, name)?.value, !text.utf8.contains(0) else { return nil }
        return text
    }
}
