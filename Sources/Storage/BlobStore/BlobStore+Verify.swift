import Basics
import Workflow

/// What became of a blob, as ``BlobStore/verify(_:size:pace:)`` finds it.
package enum BlobCondition: Sendable, Hashable {
    /// Every byte is what was written.
    case intact
    /// All there, and nothing to compare the content with: unencrypted, written before there were checksums.
    case unchecked
    case missing
    /// Not there, but among what was set aside on this day.
    case setAside(String)
    case damaged(String)
    /// It could not be read now; says nothing of the blob.
    case unreadable(String)
}

extension BlobStore {
    /// Reads all of a blob and compares it with its tags, its checksum, its name and what its row says of it.
    /// - Parameters:
    ///   - size: bytes of content that the row tells.
    ///   - pace: told the bytes of each step before it is read, on a thread of the store, which it may hold up.
    package func verify(_ id: BlobID, size: Int64?, pace: @escaping @Sendable (Int) -> Void) async -> BlobCondition {
        do {
            let key = try await keptKey(of: id)
            return try await onThread { [self] in
                Result {
                    let reader = try BlobReader(id, path: directories.path(of: id), in: self, keptKey: key)
                    if let size, size != reader.count {
                        return .damaged("it has \(reader.count) bytes, its row says \(size)")
                    }
                    return try reader.verify(pace) ? .intact : .unchecked
                }
            }
        } catch let error as StoreError {
            switch error.code {
            case .corrupt: return .damaged(error.message)
            case .notFound:
                let day = try? await setAsideBlobs().first { $0.blob.id == id }?.blob.setAsideOn
                return day.map { .setAside($0) } ?? .missing
            default: return .unreadable(error.message)
            }
        } catch { return .unreadable("\(error)") }
    }

    /// What a blob's own key is wrapped with: the public name of a key of the store, or a word for none.
    package func keyName(of id: BlobID) async throws -> String {
        try await onThread { [self] in
            Result {
                let descriptor = try files.openForReading(try directories.path(of: id))
                defer { files.close(descriptor) }
                let header = try BlobReader.readHeader(descriptor, files)
                if header.algorithm == .none { return "no key" }
                return header.slots.first.map { Hexadecimal.encode($0.keyID) } ?? "a key of its own"
            }
        }
    }

    /// Whether a file can be the blob `id`: its header, name, form and length; not its content, for which a key is needed.
    /// Blocking. Throws `StoreError`.
    package static func checkFile(
        _ path: String, id: BlobID, size: Int64?, files: any BlobFileOperations = SystemFileOperations()
    ) throws {
        do {
            let descriptor = try files.openForReading(path)
            defer { files.close(descriptor) }
            let header = try BlobReader.readHeader(descriptor, files)
            guard header.id == id else { throw StoreError(.corrupt, "the file holds another blob") }
            if let form = BlobIDSequence.form(of: id), form != header.algorithm {
                throw StoreError(.corrupt, "the blob file is not in the form its name says (encrypted or not)")
            }
            guard try files.size(descriptor) == header.fileBytes, size == nil || size == header.count else {
                throw StoreError(.corrupt, "the blob file is cut or has grown")
            }
        } catch { throw storeError(error) }
    }

    /// The path of a blob below a folder of objects: `ab/cd/<id>`. Nil for a name that no blob can have.
    package static func relativePath(of id: BlobID) -> String? {
        BlobIDSequence.isLegal(id) ? "\(id.value.prefix(2))/\(id.value.dropFirst(2).prefix(2))/\(id.value)" : nil
    }
}
