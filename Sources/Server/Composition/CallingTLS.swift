import Foundation
import NIOSSL
import Synchronization

/// The TLS by which peers are called, with the certificate of the doors for them; made anew when that is.
final class CallingTLS: Sendable {
    private struct Contexts {
        /// Checks certificates and names.
        var verifying: NIOSSLContext?
        /// Takes every certificate, for a caller that compares after the handshake.
        var comparing: NIOSSLContext?
        /// Asks the caller about the certificate in the handshake, and checks no name.
        var pinning: NIOSSLContext?
    }

    private let configuration: ServerConfiguration
    private let folder: ServerFolder
    private let contexts: Mutex<Contexts>

    /// A folder without certificates calls in clear text. Throws ``ConfigurationError``.
    init(_ configuration: ServerConfiguration, _ folder: ServerFolder) throws {
        self.configuration = configuration
        self.folder = folder
        contexts = Mutex(try Self.contexts(configuration, folder))
    }

    var verifying: NIOSSLContext? { contexts.withLock { $0.verifying } }
    var comparing: NIOSSLContext? { contexts.withLock { $0.comparing } }
    var pinning: NIOSSLContext? { contexts.withLock { $0.pinning } }

    /// Reads the files again; what they held stays in use where they cannot be used. Throws ``ConfigurationError``.
    func refresh() throws {
        let made = try Self.contexts(configuration, folder)
        contexts.withLock { $0 = made }
    }

    private static func contexts(_ configuration: ServerConfiguration, _ folder: ServerFolder) throws -> Contexts {
        guard TLSContexts.canCall(configuration, folder) else { return Contexts() }
        return Contexts(
            verifying: try TLSContexts.calling(configuration, folder),
            comparing: try TLSContexts.calling(configuration, folder, verification: .none),
            pinning: try TLSContexts.calling(configuration, folder, verification: .noHostnameVerification))
    }
}
