import DICOMData
import Synchronization
import Workflow

/// One SOP instance on its way in: its bytes go to the incoming blob as they come, and its header is decoded as soon
/// as enough of it is there, so that pixel data never stays in memory.
///
/// `append` is synchronous and meant for the thread that has the bytes; `InstanceIngest` finishes or aborts.
package final class IncomingInstance: Sendable {
    /// What the header says, once it is known.
    struct Header {
        var dataSet: DataSet
        var transferSyntax: TransferSyntax
        /// Offset of the data set in the Part 10 file.
        var dataSetOffset: Int
        /// The pixel data element; offsets are in the data set's bytes.
        var stop: DataSetDecoder.Stop?
    }

    private struct State {
        /// The file's bytes from its start, until the header is known.
        var prefix: [UInt8] = []
        var header: Header?
        var nextAttempt = IncomingInstance.firstAttempt
        var failure: IngestFailure?
    }

    /// The header is first looked for when this many bytes are there, then at every doubling.
    static let firstAttempt = 32 << 10

    let blob: any BlobWriting
    let limits: IngestLimits
    private let state: Mutex<State>

    init(blob: any BlobWriting, limits: IngestLimits) {
        self.blob = blob
        self.limits = limits
        state = Mutex(State())
    }

    /// Bytes of the file so far.
    package var count: Int64 { blob.count }

    /// Takes the next bytes of the Part 10 file. Throws ``IngestFailure`` when they cannot be kept or are no DICOM file;
    /// the caller then aborts. A preamble is replaced by zeros: it may hold a program (CVE-2019-11687).
    package func append(_ bytes: UnsafeRawBufferPointer) throws(IngestFailure) {
        guard !bytes.isEmpty else { return }
        guard Int64(bytes.count) <= limits.bytesMax - blob.count else { throw IngestFailure(.tooLarge) }
        let start = blob.count
        do {
            let preambleLeft = max(0, 128 - start)
            if preambleLeft > 0 {
                let zeros = [UInt8](repeating: 0, count: min(Int(preambleLeft), bytes.count))
                try zeros.withUnsafeBytes { try blob.append($0) }
                if bytes.count > zeros.count { try blob.append(UnsafeRawBufferPointer(rebasing: bytes[zeros.count...])) }
            } else {
                try blob.append(bytes)
            }
        } catch let error as StoreError {
            throw IngestFailure(error.code == .full ? .outOfResources : .storeFailed, error.message)
        } catch {
            throw IngestFailure(.storeFailed, "\(error)")
        }
        try look(at: bytes)
    }

    private func look(at bytes: UnsafeRawBufferPointer) throws(IngestFailure) {
        let failure = state.withLock { state -> IngestFailure? in
            guard state.header == nil else { return nil }
            guard state.prefix.count + bytes.count <= limits.headerBytesMax else { return IngestFailure(.headerTooLarge) }
            state.prefix.append(contentsOf: bytes)
            guard state.prefix.count >= state.nextAttempt else { return nil }
            while state.nextAttempt <= state.prefix.count { state.nextAttempt *= 2 }
            do throws(DICOMDataError) {
                if let header = try Self.header(state.prefix, isWhole: false, limits: limits) {
                    state.header = header
                    state.prefix = []
                }
                return nil
            } catch {
                // More bytes may mend a header that ends too early; anything else they cannot.
                return error.code == .truncated || error.code == .lengthBeyondParent
                    ? nil : IngestFailure(.notUnderstood, error.description)
            }
        }
        if let failure { throw failure }
    }

    /// The header, decoded from what is there when it was not found before.
    func finishHeader() throws(IngestFailure) -> Header {
        let result: Result<Header, IngestFailure> = state.withLock { state in
            if let header = state.header { return .success(header) }
            do throws(DICOMDataError) {
                guard let header = try Self.header(state.prefix, isWhole: true, limits: limits) else {
                    return .failure(IngestFailure(.notUnderstood, "no data set"))
                }
                state.prefix = []
                return .success(header)
            } catch {
                return .failure(IngestFailure(.notUnderstood, error.description))
            }
        }
        return try result.get()
    }

    /// The header of a file of which at least the beginning is there; nil when pixel data or the end has not come yet.
    private static func header(
        _ file: [UInt8], isWhole: Bool, limits: IngestLimits
    ) throws(DICOMDataError) -> Header? {
        let (meta, end) = try file.withUnsafeBufferPointer { buffer throws(DICOMDataError) in
            try FileMeta.decode(UnsafeRawBufferPointer(buffer), isWhole: isWhole)
        }
        let syntax = try meta.transferSyntax()
        var decoder = DataSetDecoder(transferSyntax: syntax)
        decoder.externalValuesAbove = limits.inlineBytesMax
        if syntax.isDeflated {
            guard isWhole else { return nil }
            var dataSet = try decoder.decode(file[end...])
            dataSet.removeAll { $0.tag >= .floatPixelData && $0.tag <= .pixelData }
            return Header(dataSet: dataSet, transferSyntax: syntax, dataSetOffset: end, stop: nil)
        }
        let (dataSet, stop) = try decoder.decode(Array(file[end...]))
        if stop == nil && !isWhole { return nil }
        return Header(dataSet: dataSet, transferSyntax: syntax, dataSetOffset: end, stop: stop)
    }
}

/// What the ingest takes at most. reliability-security: object 4 GiB.
package struct IngestLimits: Sendable, Hashable {
    /// Bytes of one Part 10 file.
    package var bytesMax: Int64 = 4 << 30
    /// Bytes before the pixel data, and of a whole object without any.
    package var headerBytesMax = 64 << 20
    /// A bulk value longer than this is not kept in the index but read from the file when asked for.
    package var inlineBytesMax = 16 << 10
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
        /// The UIDs of the command, the URL or the file meta information are not the data set's.
        case mismatch
        /// The SOP Instance UID is in use for other content.
        case duplicateInstance
        /// Not a storage SOP class.
        case classNotSupported
        case transferSyntaxNotSupported
    }
    package let code: Code
    /// For the log.
    package let detail: String
    package init(_ code: Code, _ detail: String = "") {
        self.code = code
        self.detail = detail
    }
    package static func == (a: Self, b: Self) -> Bool { a.code == b.code }
    package func hash(into hasher: inout Hasher) { hasher.combine(code) }

    /// The DIMSE status, also the STOW failure reason.
    package var status: UInt16 {
        switch code {
        case .outOfResources, .storeFailed, .tooLarge, .headerTooLarge: 0xA700
        case .notUnderstood: 0xC000
        case .missingUID, .mismatch: 0xA900
        case .duplicateInstance: 0x0111
        case .classNotSupported: 0x0122
        case .transferSyntaxNotSupported: 0xC122
        }
    }
}
