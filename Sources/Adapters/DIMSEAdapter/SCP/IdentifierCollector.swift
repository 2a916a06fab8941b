import DICOMData
import DICOMNetwork
import Synchronization

/// Collects a data set that is small by nature: the identifier of a query.
final class IdentifierCollector: Sendable {
    /// Bytes of one identifier. Real ones stay below a few KiB.
    static let bytesMax = 1 << 20

    private struct State {
        var bytes: [UInt8] = []
        var isTooLong = false
    }
    private let state = Mutex(State())
    private let bytesMax: Int

    init(bytesMax: Int = IdentifierCollector.bytesMax) { self.bytesMax = bytesMax }

    func append(_ bytes: UnsafeRawBufferPointer) {
        state.withLock { state in
            guard !state.isTooLong, state.bytes.count + bytes.count <= bytesMax else {
                state.isTooLong = true
                state.bytes = []
                return
            }
            state.bytes.append(contentsOf: bytes)
        }
    }

    /// The identifier; a status to answer when there is none to be read. PS3.4 §C.4.1.1.4.
    func identifier(transferSyntax uid: String) -> Result<DataSet, StatusFailure> {
        let (bytes, isTooLong) = state.withLock { ($0.bytes, $0.isTooLong) }
        guard !isTooLong else { return .failure(StatusFailure(status: .outOfResources)) }
        guard let syntax = TransferSyntax(uid: uid) else { return .failure(StatusFailure(status: .cannotUnderstand)) }
        var decoder = DataSetDecoder(transferSyntax: syntax)
        decoder.limits.bufferedBytesMax = bytesMax
        decoder.limits.inflatedBytesMax = bytesMax
        do throws(DICOMDataError) {
            return .success(try decoder.decode(bytes))
        } catch {
            return .failure(StatusFailure(status: .cannotUnderstand))
        }
    }
}

/// A status as an error.
struct StatusFailure: Error { let status: DIMSEStatus }
