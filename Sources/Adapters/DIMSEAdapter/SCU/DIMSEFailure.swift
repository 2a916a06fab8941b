import DICOMNetwork

/// What a failure status of a peer says of another attempt. PS3.7 Annex C, PS3.4.
struct DIMSEFailure {
    let status: DIMSEStatus
    init(_ status: DIMSEStatus) { self.status = status }

    /// Whether the same request may succeed later: the peer failed or has no room now. It may not where the request or
    /// its data are at fault, which no repeat mends.
    var isTransient: Bool {
        switch status {
        case .processingFailure, .resourceLimitation: true
        case _ where (0xA700...0xA7FF).contains(status.rawValue): true
        default: status.kind != .failure
        }
    }
}
