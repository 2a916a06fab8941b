import NIOSSL
import Synchronization

/// The TLS by which peers are called, with the certificate of the doors for them; made anew when its files change.
final class CallingTLS: Sendable {
    private struct Contexts {
        /// Of what they are made; nil for a folder without certificates.
        var material: TLSContexts.CallingMaterial?
        /// Checks certificates and names.
        var verifying: NIOSSLContext?
        /// Takes every certificate, for a caller that compares after the handshake.
        var comparing: NIOSSLContext?
        /// Asks the caller about the certificate in the handshake, and checks no name.
        var pinning: NIOSSLContext?
        /// Why the files that are there now are not used; nil when they are.
        var refusal: String?

        init() {}

        init(_ material: TLSContexts.CallingMaterial) throws {
            self.material = material
            verifying = try TLSContexts.calling(material)
            comparing = try TLSContexts.calling(material, verification: .none)
            pinning = try TLSContexts.calling(material, verification: .noHostnameVerification)
        }
    }

    private let configuration: ServerConfiguration
    private let folder: ServerFolder
    private let contexts: Mutex<Contexts>

    /// A folder without certificates has no TLS to call by. Throws ``ConfigurationError``.
    init(_ configuration: ServerConfiguration, _ folder: ServerFolder) throws {
        self.configuration = configuration
        self.folder = folder
        let isThere = TLSContexts.canCall(configuration, folder)
        contexts = Mutex(isThere ? try Contexts(TLSContexts.CallingMaterial(configuration, folder)) : Contexts())
    }

    var verifying: NIOSSLContext? { contexts.withLock { $0.verifying } }
    var comparing: NIOSSLContext? { contexts.withLock { $0.comparing } }
    var pinning: NIOSSLContext? { contexts.withLock { $0.pinning } }

    /// Reads the files again; what they held stays in use where they cannot be used. Throws ``ConfigurationError``.
    ///
    /// - Returns: whether they hold something else, which is in use now.
    @discardableResult
    func refresh() throws -> Bool {
        let known = contexts.withLock { $0.material }
        if known == nil, !TLSContexts.canCall(configuration, folder) { return false }
        let material = try TLSContexts.CallingMaterial(configuration, folder)
        let made = material == known ? nil : try Contexts(material)
        contexts.withLock { contexts in
            contexts.refusal = nil
            if let made { contexts = made }
        }
        return made != nil
    }

    /// The same for whoever looks at intervals: a failure is told once.
    func look() -> DoorCertificates.Outcome {
        do { return try refresh() ? .replaced : .unchanged } catch {
            let reason = "\(error)"
            return contexts.withLock { contexts in
                let isNews = contexts.refusal != reason
                contexts.refusal = reason
                return isNews ? .refused(reason) : .unchanged
            }
        }
    }
}
