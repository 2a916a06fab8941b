import Foundation
import Synchronization
import Workflow

@testable import BlobStore

/// A store in a temporary folder, its files within reach of the test.
struct BlobTestFolder: Sendable {
    let path: String
    let key: StoreKey

    static func with<Value>(_ body: (BlobTestFolder) async throws -> Value) async throws -> Value {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("hilum_blobs_\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(BlobTestFolder(path: path, key: StoreKey(OpenSSLEntropy().bytes(32))))
    }

    enum Mode: CaseIterable { case encrypted, plain }

    func open(
        _ mode: Mode = .encrypted, chunkBytes: Int = 64 << 10, ring: KeyRing? = nil,
        files: any BlobFileOperations = SystemFileOperations(),
        _ configure: (inout BlobStoreConfiguration) -> Void = { _ in }
    ) async throws -> BlobStore {
        var configuration = BlobStoreConfiguration(
            folder: path, encryption: mode == .plain ? .none(ring) : .aes256GCM(ring ?? KeyRing(current: key)))
        configuration.chunkBytes = chunkBytes
        configuration.files = files
        configuration.threads = 4
        configure(&configuration)
        return try await BlobStore(configuration)
    }

    func file(_ id: BlobID) -> String {
        "\(path)/objects/\(id.value.prefix(2))/\(id.value.dropFirst(2).prefix(2))/\(id.value)"
    }

    var incoming: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path + "/incoming")) ?? [] }
    var objects: [String] {
        (FileManager.default.enumerator(atPath: path + "/objects")?.allObjects as? [String] ?? []).filter {
            $0.split(separator: "/").count == 3
        }
    }

    func bytes(_ id: BlobID) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: file(id)))) }
    func replace(_ id: BlobID, _ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: file(id))) }

    /// Bytes that differ everywhere: a plain congruence sequence.
    static func content(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }
}

extension BlobStore {
    /// Writes a blob in pieces and finishes it.
    func write(_ content: [UInt8], pieces: Int = 16 << 10) async throws -> BlobID {
        let writer = try create()
        for start in stride(from: 0, to: content.count, by: pieces) {
            try content[start..<min(start + pieces, content.count)].withUnsafeBytes { try writer.append($0) }
        }
        try await writer.finish()
        return writer.id
    }

    func readAll(_ id: BlobID) async throws -> [UInt8] {
        let reader = try await open(id)
        return try await reader.read(offset: 0, length: Int(reader.count))
    }
}

/// File operations that fail when a test says so, and count what they did.
final class FaultyFiles: BlobFileOperations {
    private struct State {
        var failures: [BlobFileError.Operation: Int32] = [:]
        var space: (free: Int64, total: Int64)?
        var calls = 0
        var failingCall: (number: Int, code: Int32)?
        var log: [String] = []
    }
    private let real = SystemFileOperations()
    private let state = Mutex(State())

    func fail(_ operation: BlobFileError.Operation, _ code: Int32?) { state.withLock { $0.failures[operation] = code } }
    /// Makes one call fail, counted from 1 over all operations.
    func fail(call number: Int, _ code: Int32) { state.withLock { $0.failingCall = (number, code) } }
    var calls: Int { state.withLock { $0.calls } }

    private func tick(_ operation: BlobFileError.Operation) throws {
        let code: Int32? = state.withLock { state in
            state.calls += 1
            return state.failingCall.flatMap { $0.number == state.calls ? $0.code : nil }
        }
        if let code { throw BlobFileError(operation, code: code) }
    }

    /// What the disk tells of itself from now on.
    func setSpace(free: Int64, total: Int64) { state.withLock { $0.space = (free, total) } }
    var log: [String] { state.withLock { $0.log } }
    func count(_ operation: BlobFileError.Operation) -> Int {
        state.withLock { state in state.log.filter { $0.hasPrefix(operation.rawValue + " ") }.count }
    }

    private func step(_ operation: BlobFileError.Operation, _ what: String) throws {
        try tick(operation)
        let code = state.withLock { state in
            state.log.append("\(operation.rawValue) \(what)")
            return state.failures[operation]
        }
        if let code { throw BlobFileError(operation, code: code) }
    }

    func create(_ path: String) throws -> Int32 { try step(.create, path); return try real.create(path) }
    func openForReading(_ path: String) throws -> Int32 { try step(.open, path); return try real.openForReading(path) }
    func openForUpdating(_ path: String) throws -> Int32 {
        try step(.open, path); return try real.openForUpdating(path)
    }
    func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try step(.write, "\(offset)")
        try real.write(descriptor, bytes, at: offset)
    }
    func writeDirectly(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try step(.write, "\(offset) directly")
        try real.writeDirectly(descriptor, bytes, at: offset)
    }
    func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try step(.read, "\(offset)")
        return try real.read(descriptor, into: buffer, at: offset)
    }
    func size(_ descriptor: Int32) throws -> Int64 { try tick(.size); return try real.size(descriptor) }
    func preload(_ descriptor: Int32, at offset: Int64, count: Int64) throws {
        try step(.read, "\(offset) preload \(count)")
        try real.preload(descriptor, at: offset, count: count)
    }
    func synchronize(_ descriptor: Int32) throws { try step(.synchronize, ""); try real.synchronize(descriptor) }
    func close(_ descriptor: Int32) { real.close(descriptor) }
    func rename(_ from: String, _ to: String) throws { try step(.rename, to); try real.rename(from, to) }
    func synchronizeDirectory(_ path: String) throws {
        try tick(.openDirectory)
        if let code = state.withLock({ $0.failures[.openDirectory] }) {
            throw BlobFileError(.openDirectory, code: code)
        }
        try step(.synchronizeDirectory, path)
        try real.synchronizeDirectory(path)
    }
    func makeDirectory(_ path: String) throws { try step(.makeDirectory, path); try real.makeDirectory(path) }
    func remove(_ path: String) throws { try step(.remove, path); try real.remove(path) }
    func removeDirectory(_ path: String) throws { try step(.remove, path); try real.removeDirectory(path) }
    func space(at path: String) throws -> (free: Int64, total: Int64) {
        if let code = state.withLock({ $0.failures[.space] }) { throw BlobFileError(.space, code: code) }
        return try state.withLock { $0.space } ?? real.space(at: path)
    }
    func names(in path: String) throws -> [String] {
        try tick(.list)
        if let code = state.withLock({ $0.failures[.list] }) { throw BlobFileError(.list, code: code) }
        return try real.names(in: path)
    }
    func changeTime(_ path: String) throws -> Int64 { try tick(.size); return try real.changeTime(path) }
}
