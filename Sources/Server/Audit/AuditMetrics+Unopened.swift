import Logging
import OpsAPI

extension AuditMetrics {
    /// Numbers in one line of the log; more are counted alone.
    private static let toldMax = 20

    /// What counts and logs the rows of the trail that a search goes on without, as their records do not open.
    func unopened(tellingTo logger: Logger) -> @Sendable ([Int64]) -> Void {
        { numbers in
            unopened(numbers.count)
            logger.error(
                "rows of the audit trail do not open and are left out of a search; `hilum verify` says why",
                metadata: [
                    "count": "\(numbers.count)",
                    "rows": "\(numbers.prefix(Self.toldMax).map { String($0) }.joined(separator: " "))",
                ])
        }
    }
}
