import Access
import FHIRModel
import FHIRSearch
import Synchronization
import Workflow

/// The Binaries of patients in an export of patients, each told of as a DocumentReference that leads to its content: a Binary
/// itself is in no compartment. FHIR Bulk Data Access 2.0 §Bulk Data Kick-off Request, §Attachments.
///
/// Whose a Binary is says its `securityContext`: a Patient, or what is in a patient's compartment (FHIR R4 binary.html). One
/// that a DocumentReference of these patients leads to already is not told of again.
struct BinarySelection {
    let job: ExportJob
    let scope: ExportScope
    let store: any ResourceStore
    let access: AccessContext

    private var lookup: ExportLookup { ExportLookup(job: job, scope: scope, store: store, access: access) }

    /// Addresses in one condition.
    private static let addressesMax = 100

    /// What is told of one Binary; not its content.
    struct Record: Sendable {
        let id: String
        let contentType: String?
        /// As it stands there.
        let context: String
        let lastUpdated: String?

        /// Nil for one that is nobody's.
        init?(_ document: JSONDocument) {
            guard let id = document["id"]?.string, let context = document["securityContext"]?["reference"]?.string
            else { return nil }
            self.id = id
            self.context = context
            contentType = document["contentType"]?.string
            lastUpdated = document["meta"]?["lastUpdated"]?.string
        }
    }

    /// Keeps what is told of Binaries, and lets their content go at once.
    private final class Records: ResourceSink {
        private let found = Mutex<[Record]>([])
        private let gone = Mutex<[String]>([])
        func take(_ bytes: UnsafeRawBufferPointer) throws {
            guard let document = try? JSONDocument(parsing: Array(bytes), limits: .stored),
                let record = Record(document)
            else { return }
            found.withLock { $0.append(record) }
        }
        func takeDeletion(of id: String) throws { gone.withLock { $0.append(id) } }
        var all: [Record] { found.withLock { $0 } }
        /// Logical ids.
        var deleted: [String] { gone.withLock { $0 } }
    }

    /// Writes what one read of the store gives.
    /// - Returns: the key from which it goes on; nil at the end of the range.
    func write(after: Int64, through: Int64, into writer: ExportFileWriter) async throws -> Int64? {
        let sink = Records()
        let scan = ResourceScan(type: "Binary", snapshot: job.snapshot, since: job.since, until: job.until)
        let next = try await store.pour(scan, after: after, through: through, access: access, into: sink)
        var deleted: [Record] = []
        for id in sink.deleted {
            let bytes = try await lookup.deleted("Binary", id)
            if let record = bytes.flatMap({ try? JSONDocument(parsing: $0, limits: .stored) }).flatMap(Record.init) {
                deleted.append(record)
            }
        }
        let patients = try await patients(of: Set((sink.all + deleted).compactMap { lookup.target($0.context) }))
        func patient(_ record: Record) -> String? { lookup.target(record.context).flatMap { patients[$0] } }
        let records = sink.all.filter { patient($0) != nil }
        let told = try await told(among: records.map(\.id))
        for record in records where !told.contains(record.id) {
            guard let patient = patient(record) else { continue }
            // What is a patient's goes behind their name, also in a file of its own.
            if job.organizedBy != nil { writer.begin(of: patient) }
            try Self.document(of: record, patient: patient).withUnsafeBytes { try writer.take($0) }
        }
        for record in deleted where patient(record) != nil || mayHaveBeenOwned(record) {
            try writer.takeDeletion(of: Self.documentID(of: record.id))
        }
        return next
    }

    /// Whether a Binary whose context may be gone as well is told of as deleted: where every patient's is, one whose context is
    /// of a type that is a patient's.
    private func mayHaveBeenOwned(_ record: Record) -> Bool {
        guard scope.isOfEverybody, let target = lookup.target(record.context) else { return false }
        return scope.ofPatients(ExportLookup.type(target), among: []) != nil
    }

    /// `Patient/id` of each of these that is of the patients whose data it is.
    private func patients(of contexts: Set<String>) async throws -> [String: String] {
        var patients: [String: String] = [:]
        var subjects: [String: String] = [:]
        _ = try await lookup.owned(among: contexts) { name, document in
            if name.hasPrefix(Self.patientPrefix) {
                patients[name] = name
            } else if let subject = Self.subjects.lazy.compactMap({ document[$0]?["reference"]?.string }).first,
                let patient = lookup.target(subject), patient.hasPrefix(Self.patientPrefix)
            {
                subjects[name] = patient
            }
        }
        // What is in the compartment of one patient may be about another.
        let own = try await lookup.owned(among: Set(subjects.values))
        for (name, patient) in subjects where own.contains(patient) { patients[name] = patient }
        return patients
    }

    private static let patientPrefix = "Patient/"

    /// The elements that say whom a resource is about.
    private static let subjects = ["subject", "patient", "beneficiary", "for", "individual"]

    /// Ids of those to which a DocumentReference of these patients leads.
    private func told(among ids: [String]) async throws -> Set<String> {
        let wanted = Set(ids)
        var told: Set<String> = []
        for start in stride(from: 0, to: ids.count, by: Self.addressesMax) {
            var scan = ResourceScan(type: "DocumentReference", snapshot: job.snapshot)
            let part = ids[start..<min(start + Self.addressesMax, ids.count)]
            scan.filter = try scope.documents(at: part.flatMap { ["Binary/\($0)", "\(scope.baseURL)/Binary/\($0)"] })
            try await lookup.each(scan) { bytes in
                guard let document = try? JSONDocument(parsing: bytes, limits: .stored) else { return }
                for content in JSONValue(document)["content"]?.array ?? [] {
                    guard let url = content["attachment"]?["url"]?.string, let name = lookup.target(url),
                        ExportLookup.type(name) == "Binary"
                    else { continue }
                    let id = String(name.dropFirst("Binary/".count))
                    if wanted.contains(id) { told.insert(id) }
                }
            }
        }
        return told
    }

    /// Of the DocumentReference that stands for a Binary, the same in each export: `Binary.` and its id, or the id alone where
    /// that would be too long. FHIR R4 datatypes.html#id.
    static func documentID(of binary: String) -> String {
        let id = "Binary." + binary
        return id.utf8.count <= 64 ? id : binary
    }

    /// A DocumentReference as it is stored, with a relative address, which the file has in full.
    private static func document(of record: Record, patient: String) -> [UInt8] {
        var attachment: JSONValue = ["url": .string("Binary/\(record.id)")]
        if let type = record.contentType { attachment["contentType"] = .string(type) }
        var value: JSONValue = [
            "resourceType": "DocumentReference", "id": .string(documentID(of: record.id)), "status": "current",
            "subject": ["reference": .string(patient)], "content": [["attachment": attachment]],
        ]
        if let time = record.lastUpdated { value["meta"] = ["lastUpdated": .string(time)] }
        return JSONWriter.compact(value)
    }
}
