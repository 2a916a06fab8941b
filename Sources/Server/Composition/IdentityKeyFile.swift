import Foundation
import SMARTAPI

/// `keys/identity.key`: the RSA key that signs id_tokens by RS256.
enum IdentityKeyFile {
    /// The key of a folder, made when it has none: a folder of an earlier version. Throws ``ConfigurationError``, also for one
    /// that others may read, and ``FileFailure`` where none can be written.
    static func loadOrMake(_ folder: ServerFolder) throws -> IdentityKey {
        let path = folder.identityKeyFile
        if !FileManager.default.fileExists(atPath: path) {
            // Whole or not at all: half a key would keep the server from starting.
            try DurableFiles.write(Array(try IdentityKey.newPEM().utf8), to: path)
        }
        let pem = String(decoding: try ServerFolder.readSecret(path), as: UTF8.self)
        do { return try IdentityKey(pem: pem) } catch {
            throw ConfigurationError("\(path): no RSA key of 2048 bits or more in PEM")
        }
    }
}
