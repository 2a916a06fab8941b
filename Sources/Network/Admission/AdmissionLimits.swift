/// How many connections are open at a time, and how long one may take to become one.
package struct AdmissionLimits: Sendable, Hashable {
    /// Of one door.
    package struct Door: Sendable, Hashable {
        /// Connections at a time.
        package var connectionsMax: Int
        /// Of them, of one address (IPv6 by /64).
        package var connectionsPerAddressMax: Int
        /// Descriptors that the work of one connection may need besides its socket.
        package var descriptorsPerConnection: Int

        package init(connectionsMax: Int, connectionsPerAddressMax: Int, descriptorsPerConnection: Int) {
            self.connectionsMax = connectionsMax
            self.connectionsPerAddressMax = connectionsPerAddressMax
            self.descriptorsPerConnection = descriptorsPerConnection
        }
    }

    /// Over all doors.
    package var connectionsMax = 4096
    /// A request holds a blob or none.
    package var http = Door(connectionsMax: 2048, connectionsPerAddressMax: 512, descriptorsPerConnection: 1)
    /// A C-STORE holds the blob that is being written and, while it is finished, its folder.
    package var dimse = Door(connectionsMax: 1000, connectionsPerAddressMax: 100, descriptorsPerConnection: 2)
    package var mllp = Door(connectionsMax: 200, connectionsPerAddressMax: 10, descriptorsPerConnection: 0)
    /// Connections of one door that have not finished their TLS handshake.
    package var handshakesMax = 256
    /// From the connection to the end of its TLS handshake.
    package var handshakeSeconds = 10
    /// Descriptors that are left for files, database and blobs; where the process has few, a quarter of them.
    package var descriptorsReserve = 256

    package init() {}

    /// Those of a door.
    package subscript(door: Admission.Door) -> Door {
        get {
            switch door {
            case .http: http
            case .dimse: dimse
            case .mllp: mllp
            }
        }
        set {
            switch door {
            case .http: http = newValue
            case .dimse: dimse = newValue
            case .mllp: mllp = newValue
            }
        }
    }
}
