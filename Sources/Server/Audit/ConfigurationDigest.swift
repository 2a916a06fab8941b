import Foundation

/// By what the trail shows that the configuration is another one: the row of each start says what the files held.
enum ConfigurationDigest {
    /// ` hilum.yaml sha256:… site.yaml sha256:…`, 16 hex digits of each; a file that is not there is `none`.
    static func text(_ configuration: ServerConfiguration, _ folder: ServerFolder) -> String {
        [("hilum.yaml", folder.configurationFile), ("site.yaml", folder.resolve(configuration.siteProfile))].map {
            name, path in
            let digest = FileManager.default.contents(atPath: path).map { Digests.hex(Array($0)).prefix(16) } ?? "none"
            return " \(name) sha256:\(digest)"
        }.joined()
    }
}
