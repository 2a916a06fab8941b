extension AssociateReject: CustomStringConvertible {
    /// What the peer says, for the one who has to mend it: `permanent: calling AE title not recognized (1/1/3)`.
    /// PS3.8 Table 9-21.
    package var description: String {
        "\(isTransient ? "transient" : "permanent"): \(cause) (\(result)/\(source)/\(reason))"
    }

    private var cause: String {
        switch (source, reason) {
        case (1, 1), (2, 1): "no reason given"
        case (1, 2): "application context name not supported"
        case (1, 3): "calling AE title not recognized"
        case (1, 7): "called AE title not recognized"
        case (2, 2): "protocol version not supported"
        case (3, 1): "temporary congestion"
        case (3, 2): "local limit exceeded"
        default: "a reason without a name"
        }
    }
}
