/// Told why a job was given up: by which reference whoever asked for it may quote, and ``ErrorKind/name(of:)``.
package typealias JobFailures = @Sendable (_ reference: String, _ kind: String) -> Void

/// What an error is, without what it says: its words may quote a patient's values.
package enum ErrorKind {
    package static func name(of error: any Error) -> String {
        let name = String(reflecting: type(of: error))
        return (error as? StoreError).map { "\(name).\($0.code.rawValue)" } ?? name
    }
}
