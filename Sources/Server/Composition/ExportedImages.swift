import Access
import Cryptography
import DICOMData
import DICOMTranslation
import Workflow

/// DICOM objects for exports: as they are stored or are retrieved after their patient has changed, or as a destination of
/// the site would be sent them de-identified, with its profile and its pseudonyms.
struct ExportedImages: ExportObjectSource {
    private let index: any ImagingIndex
    private let blobs: any BlobStoring
    private let rewriting: [String: InstanceRewriting]
    /// Of what no destination has rules for.
    private let plain: InstanceRewriting
    private let workers: any TaskExecutor
    private let now: @Sendable () -> UTCInstant

    private static let pieceBytes = 1 << 20

    /// - Parameters:
    ///   - terms: of the site's destinations, of which those count that de-identify.
    ///   - memory: what those that are changed without such terms may hold.
    ///   - workers: where objects are changed and hashed, which takes processor time.
    init(
        index: any ImagingIndex, blobs: any BlobStoring, terms: [ForwardingTerms], memory: MemoryBudget = .unlimited,
        workers: any TaskExecutor, now: @escaping @Sendable () -> UTCInstant
    ) {
        self.index = index
        self.blobs = blobs
        self.workers = workers
        plain = InstanceRewriting(memory: memory, workers: workers)
        self.now = now
        rewriting = Dictionary(
            terms.filter(\.rewriting.deidentifies).map { ($0.name, $0.rewriting) },
            uniquingKeysWith: { first, _ in first })
    }

    var deidentifications: Set<String> { Set(rewriting.keys) }

    func instances(
        of studyInstanceUID: String, after: Instance.Place?, limit: Int, access: AccessContext
    ) async throws -> [Instance] {
        try await index.instances(
            studyInstanceUID: studyInstanceUID, seriesInstanceUID: nil, sopInstanceUID: nil, after: after, limit: limit,
            access: access)
    }

    func object(_ instance: Instance, deidentifiedFor destination: String?) async throws -> ExportedObject? {
        do { return try await made(of: instance, destination) } catch let error as StoreError
            where error.code == .notFound || error.code == .corrupt
        {
            // It went between the list and this, or cannot be read: the others are told of all the same.
            return nil
        }
    }

    private func made(of instance: Instance, _ destination: String?) async throws -> ExportedObject? {
        let reader = try await blobs.open(instance.blobID)
        if destination == nil, instance.subject == nil { return try await stored(instance, reader) }
        // A destination that is configured no more takes nothing out. What is another's than its sender wrote is made anew.
        guard let change = destination.map({ rewriting[$0] }) ?? plain else { return nil }
        let header = try await index.headers(
            studyInstanceUID: instance.studyInstanceUID, seriesInstanceUID: instance.seriesInstanceUID,
            sopInstanceUID: instance.sopInstanceUID, after: nil, limit: 1, access: .server(requestID: "export")
        ).first
        guard let header else { return nil }
        do {
            guard let rewritten = try await change.rewritten(header, from: reader, at: now()) else {
                // Whose it is was mended in between.
                return destination == nil ? try await stored(instance, reader) : nil
            }
            return try await written(rewritten, reader)
        } catch InstanceRewriting.Refusal.noMemory {
            throw StoreError(.unavailable, "there is no memory to change an object now")
        } catch is InstanceRewriting.Refusal {
            return nil
        } catch is DICOMDataError {
            return nil
        }
    }

    private func stored(_ instance: Instance, _ reader: any BlobReading) async throws -> ExportedObject {
        try await withTaskExecutorPreference(workers) {
            var digest = SHA256()
            var offset: Int64 = 0
            while offset < reader.count {
                let piece = try await reader.read(offset: offset, length: Self.pieceBytes)
                guard !piece.isEmpty else { throw StoreError(.corrupt, "a blob is shorter than its row says") }
                piece.withUnsafeBytes { digest.update($0) }
                offset += Int64(piece.count)
            }
            return ExportedObject(
                studyInstanceUID: instance.studyInstanceUID, seriesInstanceUID: instance.seriesInstanceUID,
                sopInstanceUID: instance.sopInstanceUID, sopClassUID: instance.sopClassUID,
                transferSyntaxUID: instance.transferSyntaxUID, size: reader.count, digest: digest.finalize())
        }
    }

    /// A Part 10 file of its own. PS3.10 §7.1.
    private func written(_ object: RewrittenInstance, _ reader: any BlobReading) async throws -> ExportedObject {
        let syntax = object.transferSyntaxes[0]
        let meta = FileMeta(
            sopClassUID: object.sopClassUID, sopInstanceUID: object.sopInstanceUID, transferSyntax: syntax)
        let recoded = try await object.encoded(in: syntax, from: reader)
        let blob = try blobs.createErasable()
        do {
            let digest = try await withTaskExecutorPreference(workers) {
                var digest = SHA256()
                let pieces: [RecodedDataSet.Piece] = [.bytes(try meta.encoded())] + recoded.pieces
                for piece in pieces {
                    switch piece {
                    case .bytes(let bytes):
                        bytes.withUnsafeBytes { digest.update($0) }
                        try await append(bytes, to: blob, reader)
                    case .stored(let range, let wordSize):
                        var position = range.lowerBound
                        while position < range.upperBound {
                            // Whole words in each piece.
                            let count = Int(min(Int64(Self.pieceBytes), range.upperBound - position))
                            var bytes = try await reader.read(offset: position, length: count)
                            guard bytes.count == count else {
                                throw StoreError(.corrupt, "a blob is shorter than its row says")
                            }
                            swapWords(&bytes, size: wordSize)
                            bytes.withUnsafeBytes { digest.update($0) }
                            try await append(bytes, to: blob, reader)
                            position += Int64(count)
                        }
                    }
                }
                return digest.finalize()
            }
            try await blob.finish()
            return ExportedObject(
                studyInstanceUID: object.studyInstanceUID, seriesInstanceUID: object.seriesInstanceUID,
                sopInstanceUID: object.sopInstanceUID, sopClassUID: object.sopClassUID, transferSyntaxUID: syntax.uid,
                size: blob.count, digest: digest, file: blob)
        } catch {
            blob.abort()
            throw error
        }
    }

    /// On the store's own threads: it may wait for the disk.
    private func append(_ bytes: [UInt8], to blob: any BlobWriting, _ reader: any BlobReading) async throws {
        try await reader.perform { try bytes.withUnsafeBytes { try blob.append($0) } }
    }
}
