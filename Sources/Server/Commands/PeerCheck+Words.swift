import DICOMNetwork
import DIMSEAdapter
import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// What a failure means to who operates the two systems: without names of this program's own.
extension PeerCheck {
    static func words(_ error: any Error) -> String {
        switch error {
        case let error as SCUError: words(error)
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { words($0.error) } ?? "the name \(error.host) has no address"
        case ChannelError.connectTimeout: "no answer in time"
        case ChannelError.eof, ChannelError.ioOnClosedChannel: "it ended the connection"
        case NIOSSLError.handshakeFailed(let reason): "the handshake failed (\(reasons("\(reason)")))"
        case NIOSSLError.uncleanShutdown: "it ended the connection"
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            "the certificate is of another host"
        default: "\(error)"
        }
    }

    private static func words(_ error: SCUError) -> String {
        switch error {
        case .connectionLost: "it ended the connection"
        case .timedOut: "no answer in time"
        case .abortedByPeer(let abort) where abort.source == Abort.byUser.source:
            "it aborted the association (A-ABORT 0)"
        case .abortedByPeer(let abort):
            "it aborted the association, for what it takes for a fault of the protocol (A-ABORT \(abort.source)/\(abort.reason))"
        case .aborted(.unrecognizedPDU): "what it says is no DICOM"
        case .aborted(let abort):
            "it does not keep to the protocol, so that the association was aborted (A-ABORT \(abort.source)/\(abort.reason))"
        case .released: "it released the association"
        case .rejected(let reject): "it rejects the association (\(reject.result)/\(reject.source)/\(reject.reason))"
        case .failed(let status, _): "it answers with \(status)"
        case .noPresentationContext: "it accepted no context for it"
        case .responseNotUnderstood: "its answer cannot be read"
        case .responsesOverLimit: "it answers with more than was asked for"
        case .identityNotConfirmed: "it does not confirm the user identity"
        case .busy, .cancelled, .noPlace: "\(error)"
        }
    }

    /// BoringSSL's reasons in its text, as `certificate verify failed`: it tells of its source files too. A text without
    /// any stays as it is.
    static func reasons(_ text: String) -> String {
        let names = text.components(separatedBy: "OPENSSL_internal:").dropFirst().map { part in
            part.prefix { $0.isLetter || $0.isNumber || $0 == "_" }.lowercased().replacing("_", with: " ")
        }
        return names.isEmpty ? text : names.joined(separator: ", ")
    }
}
