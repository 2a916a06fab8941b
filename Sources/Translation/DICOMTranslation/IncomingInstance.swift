import Access
import DICOMData
import Synchronization
import Workflow

/// One SOP instance on its way in: its bytes go to the incoming blob as they come, while a scanner keeps the header and
/// where the bulk lies, so that pixel data never stays in memory.
///
/// What stands before the data set is this server's own: a preamble of zeros, for the sender's may hold a program
/// (CVE-2019-11687), and File Meta Information made anew, for the sender's may name another instance; nor is that kept where
/// a bare data set begins with it. PS3.10 §7.1.
///
/// `append` is synchronous and meant for the thread that has the bytes; `InstanceIngest` finishes or aborts.
package final class IncomingInstance: Sendable {
    private struct State: ~Copyable {
        /// Nil once it has failed or finished.
        var scanner: InstanceScanner?
        var failure: IngestFailure?
        /// Until the sender's own head is read, or there is seen to be none: what has come of it.
        var senderHead: [UInt8]?
        /// The UIDs that the stored head names.
        var named: Named?
    }

    /// The SOP class and instance of a head.
    struct Named: Sendable, Hashable {
        let sopClassUID: String
        let sopInstanceUID: String
    }

    let blob: any BlobWriting
    let limits: IngestLimits
    private let memory: MemoryReservation
    private let keepsSource: Bool
    private let isDataSet: Bool
    private let state: Mutex<State>

    /// What is kept is read, described, encoded and written: so many times its bytes are held in the end.
    private static let weight = 4

    /// - Parameters:
    ///   - named: the UIDs of the head of a bare data set, which the caller begins with (``begin(with:)``); nil for a Part 10
    ///     file, whose head is replaced.
    ///   - isDeflated: of a bare data set: whether its bytes show no elements.
    ///   - keepsSource: whether the AE title of that head is believed: of a file that this server has written.
    ///   - memory: for what is kept of the instance until it is registered.
    init(
        blob: any BlobWriting, limits: IngestLimits, named: Named? = nil, isDeflated: Bool = false,
        keepsSource: Bool = false, memory: MemoryReservation = MemoryBudget.unlimited.reservation()
    ) {
        self.keepsSource = keepsSource
        isDataSet = named != nil
        self.blob = blob
        self.limits = limits
        self.memory = memory
        var decoding = limits.decoding
        decoding.bufferedBytesMax = limits.headerBytesMax
        state = Mutex(
            State(
                scanner: InstanceScanner(
                    limits: decoding, externalValuesAbove: limits.inlineBytesMax,
                    mayHold: { memory.grow(to: Self.weight * $0) }), failure: nil,
                senderHead: isDeflated ? nil : [], named: named))
    }

    /// Bytes of the file so far.
    package var count: Int64 { blob.count }

    /// The UIDs that the stored head names, once it is written.
    var named: Named? { state.withLock { $0.named } }

    /// Whether the stored head names an instance.
    func isNamed(as instance: Instance) -> Bool {
        named == Named(sopClassUID: instance.sopClassUID, sopInstanceUID: instance.sopInstanceUID)
    }

    /// Puts our head before a bare data set.
    func begin(with head: [UInt8]) throws(IngestFailure) {
        try head.withUnsafeBufferPointer { raw throws(IngestFailure) in try keep(UnsafeRawBufferPointer(raw)) }
    }

    /// Takes the next bytes of the Part 10 file or of the data set. Throws ``IngestFailure`` when they cannot be kept or are
    /// not DICOM; the caller then aborts.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(IngestFailure) {
        guard !bytes.isEmpty else { return }
        guard Int64(bytes.count) <= limits.bytesMax - blob.count else { throw IngestFailure(.tooLarge) }
        guard
            let head = state.withLock({ state -> [UInt8]? in
                // Nearly every data set shows with its first fragment that it begins with none.
                if isDataSet, state.senderHead?.isEmpty == true, bytes.count > 1, !Self.isHead(bytes) {
                    state.senderHead = nil
                }
                state.senderHead?.append(contentsOf: bytes)
                return state.senderHead
            })
        else { return try keep(bytes) }
        try replaceHead(head, isWhole: false)
    }

    /// The sender's head must end within this many bytes.
    private static let headBytesMax = 1 << 20

    /// Whether bytes begin with an element of the File Meta Information.
    private static func isHead(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: [2, 0]) }

    /// The sender's head and where it ends; nil while it is not there whole.
    private func senderHead(_ bytes: [UInt8], isWhole: Bool) throws(IngestFailure) -> (meta: FileMeta, end: Int)? {
        do throws(DICOMDataError) {
            return try bytes.withUnsafeBufferPointer { raw throws(DICOMDataError) in
                try FileMeta.decode(UnsafeRawBufferPointer(raw), isWhole: isWhole, limits: limits.decoding)
            }
        } catch {
            guard error.code == .truncated, !isWhole else { throw IngestFailure(.notUnderstood, error.description) }
            if bytes.count > Self.headBytesMax { throw IngestFailure(.headerTooLarge, error.description) }
            return nil
        }
    }

    /// Leaves out what of a file's head stands before a data set, when that is there whole: behind ours it would be read as
    /// a part of it.
    private func leaveOutHead(_ bytes: [UInt8], isWhole: Bool) throws(IngestFailure) {
        var end = 0
        if Self.isHead(bytes) {
            let prefix = [UInt8](repeating: 0, count: FileMeta.prefixBytes - 4) + Array("DICM".utf8)
            guard let head = try senderHead(prefix + bytes, isWhole: isWhole) else { return }
            end = head.end - prefix.count
        } else if bytes.count < 2, !isWhole {
            return
        }
        state.withLock { $0.senderHead = nil }
        try keep(bytes[end...])
    }

    private func keep(_ bytes: ArraySlice<UInt8>) throws(IngestFailure) {
        guard !bytes.isEmpty else { return }
        try bytes.withUnsafeBufferPointer { raw throws(IngestFailure) in try keep(UnsafeRawBufferPointer(raw)) }
    }

    /// Puts our head in the place of the sender's, when that is there whole, and goes on with what is behind it.
    private func replaceHead(_ bytes: [UInt8], isWhole: Bool) throws(IngestFailure) {
        if isDataSet { return try leaveOutHead(bytes, isWhole: isWhole) }
        guard let (found, end) = try senderHead(bytes, isWhole: isWhole) else { return }
        let syntax: TransferSyntax
        do throws(DICOMDataError) { syntax = try found.transferSyntax() } catch {
            throw IngestFailure(.notUnderstood, error.description)
        }
        // What is no UID is named by none; the data set's own are put there when it is known.
        let named = Named(
            sopClassUID: found.sopClassUID.flatMap { UID.isSafe($0) ? $0 : nil } ?? "0.0",
            sopInstanceUID: found.sopInstanceUID.flatMap { UID.isSafe($0) ? $0 : nil } ?? "0.0")
        let source = keepsSource ? found.dataSet.string(.sourceApplicationEntityTitle) : nil
        let head = try Self.head(named, syntax, sourceAETitle: source)
        state.withLock { state in
            state.senderHead = nil
            state.named = named
        }
        for part in [head[...], bytes[end...]] { try keep(part) }
    }

    /// The bytes before a data set.
    static func head(
        _ named: Named, _ syntax: TransferSyntax, sourceAETitle: String?
    ) throws(IngestFailure) -> [UInt8] {
        do {
            return try FileMeta(
                sopClassUID: named.sopClassUID, sopInstanceUID: named.sopInstanceUID, transferSyntax: syntax,
                sourceAETitle: sourceAETitle
            ).encoded()
        } catch {
            throw IngestFailure(.notUnderstood, error.description)
        }
    }

    private func keep(_ bytes: UnsafeRawBufferPointer) throws(IngestFailure) {
        do { try blob.append(bytes) } catch { throw IngestFailure(error) }
        let failure = state.withLock { state -> IngestFailure? in
            if let failure = state.failure { return failure }
            do throws(DICOMDataError) {
                try state.scanner?.consume(bytes)
                return nil
            } catch {
                state.scanner = nil
                let failure =
                    switch error.code {
                    case .tooLarge: IngestFailure(.headerTooLarge, error.description)
                    // A passing failure: the sender tries again when others are done.
                    case .outOfMemory: IngestFailure(.outOfResources, "no memory for the header now")
                    default: IngestFailure(.notUnderstood, error.description)
                    }
                memory.release()
                state.failure = failure
                return failure
            }
        }
        if let failure { throw failure }
    }

    /// What the scanner learned, once all bytes are there.
    func finishScan() throws(IngestFailure) -> ScannedInstance {
        if let head = state.withLock({ $0.senderHead }) { try replaceHead(head, isWhole: true) }
        let result = state.withLock { state -> Result<ScannedInstance, IngestFailure> in
            if let failure = state.failure { return .failure(failure) }
            do throws(DICOMDataError) {
                guard let scanned = try state.scanner?.finish() else { return .failure(IngestFailure(.notUnderstood)) }
                state.scanner = nil
                return .success(scanned)
            } catch {
                return .failure(IngestFailure(.notUnderstood, error.description))
            }
        }
        return try result.get()
    }
}

/// What the ingest takes at most. reliability-security: object 4 GiB.
package struct IngestLimits: Sendable, Hashable {
    /// Bytes of one Part 10 file.
    package var bytesMax: Int64 = 4 << 30
    /// Bytes of an object without its pixel data and large bulk values.
    package var headerBytesMax = 64 << 20
    /// A bulk value longer than this is not kept in the index but read from the file when asked for.
    package var inlineBytesMax = 16 << 10
    /// Of its data set; `headerBytesMax` stands for the bytes that are kept.
    package var decoding = DecodingLimits()
    package init() {}
}

/// Why an instance was not stored, with the status codes of both doors. PS3.4 §B.2.3, PS3.18 Table I.2-2.
package struct IngestFailure: Error, Sendable, Hashable {
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// No space.
        case outOfResources
        /// The store does not take writes or failed.
        case storeFailed
        case tooLarge
        case headerTooLarge
        /// Not DICOM, or damaged.
        case notUnderstood
        /// A UID is missing or no UID.
        case missingUID
        /// The command names the instance by something that is no UID.
        case invalidInstance
        /// The UIDs of the command, the URL or the file meta information are not the data set's.
        case mismatch
        /// The SOP Instance UID is in use for other content.
        case duplicateInstance
        /// A value that the index can never take, such as an accession number with NUL.
        case valueNotAcceptable
        /// Not a storage SOP class.
        case classNotSupported
        case transferSyntaxNotSupported
        /// What its SOP class demands is missing, or what it says of its pixels or document does not fit them.
        case classMismatch
        /// Of somebody who may store nothing; a rejection note of somebody who may not delete images.
        case notAuthorized
    }
    package let code: Code
    /// For the log.
    package let detail: String
    package init(_ code: Code, _ detail: String = "") {
        self.code = code
        self.detail = detail
    }

    /// A failure as it is, or what an error of the store means to a sender.
    package init(_ error: any Error) {
        switch error {
        case let failure as IngestFailure: self = failure
        case let refusal as TextRule.Refusal: self.init(.valueNotAcceptable, refusal.description)
        case let error as StoreError:
            let code: Code =
                switch error.code {
                case .full: .outOfResources
                case .unacceptable: .valueNotAcceptable
                default: .storeFailed
                }
            self.init(code, error.message)
        default: self.init(.storeFailed, "\(error)")
        }
    }
    package static func == (a: Self, b: Self) -> Bool { a.code == b.code }
    package func hash(into hasher: inout Hasher) { hasher.combine(code) }

    /// The DIMSE status, also the STOW failure reason.
    package var status: UInt16 {
        switch code {
        case .outOfResources, .storeFailed, .tooLarge, .headerTooLarge: 0xA700
        case .notUnderstood, .valueNotAcceptable: 0xC000
        case .missingUID, .mismatch, .classMismatch: 0xA900
        case .invalidInstance: 0x0117
        case .duplicateInstance: 0x0111
        case .classNotSupported: 0x0122
        case .transferSyntaxNotSupported: 0xC122
        case .notAuthorized: 0x0124
        }
    }
}
