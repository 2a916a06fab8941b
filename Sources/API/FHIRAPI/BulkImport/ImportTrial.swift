import Synchronization
import Workflow

/// An import of which nothing is kept: which line brought which resource is noted here, for as long as it runs.
final class ImportTrial: Sendable {
    private let claims = Mutex<[String: ImportedLine]>([:])

    /// The line that brought a resource before, as `Type/id`; nil for none.
    subscript(name: String) -> ImportedLine? { claims.withLock { $0[name] } }

    /// Notes lines of a unit that went well.
    /// - Parameter input: the place of their file.
    func note(_ lines: ArraySlice<ImportLine>, of input: Int) {
        claims.withLock { claims in
            for line in lines {
                guard case .change(_, let name) = line.content, claims[name] == nil else { continue }
                claims[name] = ImportedLine(input: input, line: line.number)
            }
        }
    }
}
