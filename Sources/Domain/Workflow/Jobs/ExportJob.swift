/// A bulk export, from kick-off to deletion.
package struct ExportJob: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable { case accepted, running, complete, failed, deleted }
    package struct OutputFile: Sendable, Hashable, Codable {
        package var type: String
        package var blobID: BlobID
        /// Resources in the file.
        package var count: Int
        /// Bytes of the file.
        package var size: Int64
        package var isError: Bool
        /// Whether the file lists deletions (transaction Bundles).
        package var isDeleted: Bool
        /// Whether the file lists DICOM objects; nil for not.
        package var listsObjects: Bool?
        /// Of a DICOM object, by which it is asked for, and which no manifest tells of; nil for other files.
        package var name: String?
        /// Another type whose resources the lines tell of, to which it takes the right as well; nil for none.
        package var tellsOf: String?
        package init(
            type: String, blobID: BlobID, count: Int, size: Int64, isError: Bool = false, isDeleted: Bool = false,
            listsObjects: Bool? = nil, name: String? = nil, tellsOf: String? = nil
        ) {
            self.listsObjects = listsObjects
            self.name = name
            self.tellsOf = tellsOf
            self.type = type
            self.blobID = blobID
            self.count = count
            self.size = size
            self.isError = isError
            self.isDeleted = isDeleted
        }
    }
    /// What an export is of. Bulk Data 2.0 §Bulk Data Kick-off Request.
    package enum Level: Sendable, Hashable, Codable {
        case system
        /// What belongs to patients.
        case patient
        /// What belongs to the members of a Group with this logical id.
        case group(String)
    }
    /// A search that resources of a type have to meet, as its parameters were sent. Bulk Data 2.0 §_typeFilter.
    package struct TypeFilter: Sendable, Hashable, Codable {
        package var type: String
        /// Decoded, `name=value` each.
        package var parameters: [Parameter]
        package struct Parameter: Sendable, Hashable, Codable {
            package var name: String
            package var value: String
            package init(name: String, value: String) {
                self.name = name
                self.value = value
            }
        }
        package init(type: String, parameters: [Parameter]) {
            self.type = type
            self.parameters = parameters
        }
    }
    /// What is written beside the resources of an export. Bulk Data 2.0 §includeAssociatedData.
    package enum AssociatedData: String, Sendable, Hashable, Codable, CaseIterable {
        /// Of each resource the Provenance that was recorded last.
        case latestProvenance = "LatestProvenanceResources"
        case relevantProvenance = "RelevantProvenanceResources"
    }
    /// What an export holds of the types, beside dates. Fixed at the kick-off.
    package struct Selection: Sendable, Hashable, Codable {
        package var level = Level.system
        /// Logical ids of the patients whose data it is, as of the kick-off; nil for every patient. Nil at system level.
        package var patients: [String]?
        /// Whether the client named them itself.
        package var namesPatients = false
        /// Of one type, at least one holds.
        package var filters: [TypeFilter] = []
        /// Root elements to be written, as sent: `Type.element` or `element`; empty for all.
        package var elements: [String] = []
        /// What is written beside; nil for nothing.
        package var associated: Set<AssociatedData>?
        /// Whether the DICOM objects of exported studies are told of; nil for not.
        package var withObjects: Bool?
        /// The destination of the site as which the client gets the objects, de-identified; nil for as they are stored.
        package var objectsFor: String?
        /// What was passed over of the kick-off, for the file of errors; nil for nothing.
        package var notices: [String]?
        package init() {}
    }
    /// Whether the client takes files before all are there; nil for not. Bulk Data 3.0 §allowPartialManifests.
    package var allowsPartialManifests: Bool?
    /// The type of which each resource has those that belong to it behind it; nil for files of one type each.
    /// Bulk Data 3.0 §organizeOutputBy.
    package var organizedBy: String?
    /// 128 random bits: unguessable.
    package var id: EntityID
    /// The client that may see it.
    package var ownerID: String
    /// The outside authorization server whose client it is, which is not among those that are registered here; nil for one
    /// that is.
    package var issuer: String?
    /// The scopes of the kick-off as text, checked again by the worker.
    package var scopes: [String]
    /// The full kick-off URL.
    package var request: String
    package var types: [String]
    /// Nil for all of the types, as jobs of earlier versions are, and of a job that has ended.
    package var selection: Selection?
    package var since: UTCInstant?
    package var until: UTCInstant?
    /// The commit sequence number the export is a snapshot of.
    package var snapshot: Int64
    package var transactionTime: UTCInstant
    package var state: State
    package var isUnderWay: Bool { state == .accepted || state == .running }
    /// 0 to 100: of one that is under way, how many of its parts are written.
    package var progress: Int
    /// In the order in which they were written; the place in it is the name of a file.
    package var outputs: [OutputFile]
    package var failure: String?
    package var createdAt: UTCInstant
    package var finishedAt: UTCInstant?
    package init(
        id: EntityID, ownerID: String, scopes: [String], request: String, types: [String], since: UTCInstant?,
        until: UTCInstant?, snapshot: Int64, transactionTime: UTCInstant, state: State = .accepted, progress: Int = 0,
        outputs: [OutputFile] = [], failure: String? = nil, createdAt: UTCInstant, finishedAt: UTCInstant? = nil,
        selection: Selection? = nil
    ) {
        self.selection = selection
        self.id = id
        self.ownerID = ownerID
        self.scopes = scopes
        self.request = request
        self.types = types
        self.since = since
        self.until = until
        self.snapshot = snapshot
        self.transactionTime = transactionTime
        self.state = state
        self.progress = progress
        self.outputs = outputs
        self.failure = failure
        self.createdAt = createdAt
        self.finishedAt = finishedAt
    }
}
