import NIOPosix
import Workflow

extension BlobStore {
    /// What a sweep found.
    package struct SweepResult: Sendable, Equatable {
        package var objects = 0
        package var removed = 0
    }

    /// Removes objects that no row names and that are older than the grace time, which must be longer than any unit of
    /// work between a blob's end and its row's commit. Reads the whole tree: run it beside the work after a start.
    /// - Parameters:
    ///   - graceSeconds: age below which an object stays.
    ///   - now: the time of day.
    ///   - referenced: gives those of up to 512 ids that a row names.
    package func sweep(
        graceSeconds: Int64, now: UTCInstant, referenced: @Sendable ([BlobID]) async throws -> Set<BlobID>
    ) async throws -> SweepResult {
        var result = SweepResult()
        let newest = now.microseconds / 1_000_000 - graceSeconds
        for first in try await names(in: directories.objects) {
            for second in try await names(in: directories.objects + "/" + first) {
                try Task.checkCancellation()
                let folder = directories.objects + "/" + first + "/" + second
                let names = try await names(in: folder)
                result.objects += names.count
                for start in stride(from: 0, to: names.count, by: 512) {
                    let ids = names[start..<min(start + 512, names.count)].map { BlobID($0) }
                    let kept = try await referenced(ids)
                    result.removed += try await remove(ids.filter { !kept.contains($0) }, in: folder, newest: newest)
                }
            }
        }
        return result
    }

    private func names(in path: String) async throws -> [String] {
        do { return try await threads.runIfActive { [files] in try files.names(in: path) } } catch {
            throw BlobStore.storeError(error)
        }
    }

    private func remove(_ ids: [BlobID], in folder: String, newest: Int64) async throws -> Int {
        if ids.isEmpty { return 0 }
        do {
            return try await threads.runIfActive { [files] in
                var removed = 0
                for id in ids where try files.changeTime(folder + "/" + id.value) <= newest {
                    try files.remove(folder + "/" + id.value)
                    removed += 1
                }
                return removed
            }
        } catch { throw BlobStore.storeError(error) }
    }
}
