import FHIRModel
import Synchronization
import Workflow

/// Writes the files of one part of an export: resources as stored, one a line, where nothing of them is left out, with the
/// addresses of their attachments absolute.
///
/// A file is of one type; where they are organised by another, a line that names the one they belong to goes before them.
final class ExportFileWriter: ResourceSink {
    /// A file that is whole, and what holds its blob until a row names it.
    struct Written {
        let file: ExportJob.OutputFile
        let blob: any BlobWriting
    }

    /// What is kept of what is taken.
    enum Content { case all, resources, deletions }

    private struct State {
        var resources = Lines()
        var deletions = Lines()
        var references: [String: Set<String>] = [:]
        var referencesCount = 0
        /// Of what is taken now.
        var type: String
        var subset: Subset?
        /// Nil where resources of the type have no attachments.
        var attachments: AttachmentLinks?
        /// Files of DICOM objects that lines tell of.
        var objects: [Written] = []
        /// What goes before the next resource.
        var header: [UInt8]?
    }

    /// A file that is begun with its first line.
    private struct Lines {
        var blob: (any BlobWriting)?
        var count = 0
        /// What is not in the blob yet, which gets it when there are so many bytes of it.
        private var waiting: [UInt8] = []
        private static let waitingBytesMax = 128 << 10

        var size: Int64 { (blob?.count ?? 0) + Int64(waiting.count) }

        mutating func append(_ bytes: UnsafeRawBufferPointer, to blobs: any BlobStoring) throws {
            if blob == nil {
                blob = try blobs.createErasable()
                waiting.reserveCapacity(Self.waitingBytesMax * 2)
            }
            // A long one goes on in parts, so that what waits here does not grow with it.
            var rest = bytes
            while rest.count > Self.waitingBytesMax {
                NDJSON.appendPart(UnsafeRawBufferPointer(rebasing: rest[..<Self.waitingBytesMax]), to: &waiting)
                try flush()
                rest = UnsafeRawBufferPointer(rebasing: rest[Self.waitingBytesMax...])
            }
            NDJSON.appendLine(rest, to: &waiting)
            count += 1
            if waiting.count >= Self.waitingBytesMax { try flush() }
        }

        mutating func flush() throws {
            try waiting.withUnsafeBytes { try blob?.append($0) }
            waiting.removeAll(keepingCapacity: true)
        }
    }

    private let type: String
    private let blobs: any BlobStoring
    private let baseURL: String
    private let references: ReferenceScan?
    private let listsObjects: Bool
    private let tellsOf: String?
    private let content: Content
    private let state: Mutex<State>

    /// - Parameters:
    ///   - subset: what is written of each; nil for all.
    ///   - listsObjects: whether the lines are of DICOM objects.
    ///   - tellsOf: another type whose resources the lines tell of.
    ///   - baseURL: the server's own address, without a slash at its end; empty where no attachment is to be led to it.
    ///   - references: what is noted of what they refer to; nil for nothing.
    init(
        _ type: String, to blobs: any BlobStoring, subset: Subset?, listsObjects: Bool = false,
        tellsOf: String? = nil, content: Content = .all, baseURL: String = "", references: ReferenceScan?
    ) {
        self.content = content
        self.baseURL = baseURL
        self.listsObjects = listsObjects
        self.tellsOf = tellsOf
        self.type = type
        self.blobs = blobs
        self.references = references
        state = Mutex(
            State(type: type, subset: subset, attachments: AttachmentLinks(baseURL: baseURL, type: type)))
    }

    /// What is taken from now on is of this type.
    func begin(_ type: String, subset: Subset?) {
        let attachments = AttachmentLinks(baseURL: baseURL, type: type)
        state.withLock { state in
            state.type = type
            state.subset = subset
            state.attachments = attachments
        }
    }

    /// What is taken from now on belongs to a resource, which is named if there is any. Bulk Data 3.0 §organizeOutputBy.
    func begin(of owner: String) {
        let header: JSONValue = [
            "resourceType": "Parameters",
            "parameter": [["name": "header", "valueReference": ["reference": .string(owner)]]],
        ]
        state.withLock { $0.header = JSONWriter.compact(header) }
    }

    /// A DICOM object that a line tells of, made for the export and durable.
    func take(_ object: ExportJob.OutputFile, _ blob: any BlobWriting) {
        state.withLock { $0.objects.append(Written(file: object, blob: blob)) }
    }

    /// Notes what a resource refers to.
    private func note(_ bytes: UnsafeRawBufferPointer, _ state: inout State) {
        references?.references(in: bytes) {
            if state.references[$0, default: []].insert($1).inserted { state.referencesCount += 1 }
        }
    }

    /// Resources that one file refers to, about: they are held until the file is closed.
    private static let referencesMax = 50_000

    /// Objects that one file tells of, at most: each holds its own file until the rows are there.
    private static let objectsMax = 1_000

    /// Whether the file is to be closed.
    var isFull: Bool {
        state.withLock { state in
            state.resources.size >= ExportService.fileBytesMax || state.objects.count >= Self.objectsMax
                || state.referencesCount >= Self.referencesMax
        }
    }

    func take(_ bytes: UnsafeRawBufferPointer) throws {
        if content == .deletions { return }
        try state.withLock { state in
            note(bytes, &state)
            if let header = state.header {
                try header.withUnsafeBytes { try state.resources.append($0, to: blobs) }
                state.header = nil
            }
            let absolute = state.attachments?.absolute(bytes)
            if let subset = state.subset {
                let text = subset.apply(to: absolute ?? Array(bytes), of: state.type)
                try text.withUnsafeBytes { try state.resources.append($0, to: blobs) }
            } else if let absolute {
                try absolute.withUnsafeBytes { try state.resources.append($0, to: blobs) }
            } else {
                try state.resources.append(bytes, to: blobs)
            }
        }
    }

    /// A transaction Bundle with one DELETE. Bulk Data 2.0 §Response - Complete Status, `deleted`.
    func takeDeletion(of id: String) throws {
        if content == .resources { return }
        try state.withLock { state in
            let request: JSONValue = ["method": "DELETE", "url": .string("\(state.type)/\(id)")]
            let bundle = JSONWriter.compact([
                "resourceType": "Bundle", "type": "transaction", "entry": [["request": request]],
            ])
            try bundle.withUnsafeBytes { try state.deletions.append($0, to: blobs) }
        }
    }

    /// Makes what was written durable. Nothing more may be written.
    func finish() async throws -> (written: [Written], references: [String: Set<String>]) {
        let (files, references, objects) = try state.withLock { state in
            try state.resources.flush()
            try state.deletions.flush()
            let files = [(state.resources, false), (state.deletions, true)].compactMap { lines, isDeleted in
                lines.blob.map { (blob: $0, count: lines.count, isDeleted: isDeleted) }
            }
            return (files, state.references, state.objects)
        }
        var written = objects
        for (blob, count, isDeleted) in files {
            try await blob.finish()
            written.append(
                Written(
                    file: ExportJob.OutputFile(
                        type: type, blobID: blob.id, count: count, size: blob.count,
                        isError: type == ExportJob.OutputFile.errorType, isDeleted: isDeleted,
                        listsObjects: listsObjects ? true : nil, tellsOf: tellsOf),
                    blob: blob))
        }
        return (written, references)
    }

    /// Nothing that was written counts: what is durable already goes with its key. Only while no row can name it. Where the
    /// process is to end it is the sweep's.
    func abort() async {
        let written = state.withLock { state in
            let begun = [state.resources.blob, state.deletions.blob].compactMap(\.self) + state.objects.map(\.blob)
            (state.resources, state.deletions, state.objects) = (Lines(), Lines(), [])
            return begun
        }
        for blob in written { blob.abort() }
        for blob in written where !Task.isCancelled { try? await blobs.remove(blob.id) }
    }
}

extension ExportJob.OutputFile {
    /// What the lines of a file of errors are.
    static let errorType = "OperationOutcome"
}
