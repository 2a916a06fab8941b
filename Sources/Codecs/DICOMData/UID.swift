import Basics

/// Unique identifiers: their form, and the ones this project names. PS3.5 §9, PS3.6 Annex A.
package enum UID {
    /// The longest UID in bytes. PS3.5 §9.1.
    package static let bytesMax = 64

    /// The text is a UID: 1 to 64 digits and dots, no empty component, no component with a leading zero.
    package static func isValid(_ text: some StringProtocol) -> Bool {
        var length = 0
        var componentLength = 0
        var startsWithZero = false
        for byte in text.utf8 {
            length += 1
            if length > bytesMax { return false }
            switch byte {
            case 0x2E:
                if componentLength == 0 { return false }
                componentLength = 0
            case 0x30...0x39:
                if componentLength == 0 { startsWithZero = byte == 0x30 } else if startsWithZero { return false }
                componentLength += 1
            default:
                return false
            }
        }
        return componentLength > 0
    }

    /// Only digits and dots, 1 to 64 of them: what real objects carry, leading zeros included. It can name a file or a
    /// URL segment without escaping.
    package static func isSafe(_ text: some StringProtocol) -> Bool {
        // In front of the first component as behind a full stop, none may follow.
        var previous: UInt8 = 0x2E
        var count = 0
        for byte in text.utf8 {
            guard (0x30...0x39).contains(byte) || (byte == 0x2E && previous != 0x2E) else { return false }
            previous = byte
            count += 1
        }
        return count > 0 && count <= bytesMax
    }

    /// A UID under `2.25` from 16 bytes of a UUID or of randomness. PS3.5 §B.2.
    package static func fromUUID(_ bytes: [UInt8]) -> String {
        "2.25.\(bytes.prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) })"
    }

    /// The same of the UUID of a version that 16 bytes make, without the bits that say which it is. RFC 9562 §4.
    package static func fromUUID(version: UInt8, of bytes: some Collection<UInt8>) -> String {
        fromUUID(UUIDBytes.make(version: version, of: bytes))
    }

    /// PS3.7 §A.2.1.
    package static let applicationContext = "1.2.840.10008.3.1.1.1"
    package static let verification = "1.2.840.10008.1.1"
    package static let modalityWorklistFind = "1.2.840.10008.5.1.4.31"
    package static let modalityPerformedProcedureStep = "1.2.840.10008.3.1.2.3.3"
    package static let modalityPerformedProcedureStepRetrieve = "1.2.840.10008.3.1.2.3.4"
    package static let keyObjectSelectionDocument = "1.2.840.10008.5.1.4.1.1.88.59"
    package static let encapsulatedPDF = "1.2.840.10008.5.1.4.1.1.104.1"
    package static let encapsulatedCDA = "1.2.840.10008.5.1.4.1.1.104.2"
    package static let encapsulatedSTL = "1.2.840.10008.5.1.4.1.1.104.3"
    package static let storageCommitmentPush = "1.2.840.10008.1.20.1"
    package static let storageCommitmentPushInstance = "1.2.840.10008.1.20.1.1"
    package static let instanceAvailabilityNotification = "1.2.840.10008.5.1.4.33"
    /// The class of every workitem, whichever class it is spoken of by. PS3.4 §CC.3.1.
    package static let unifiedProcedureStepPush = "1.2.840.10008.5.1.4.34.6.1"
    package static let unifiedProcedureStepWatch = "1.2.840.10008.5.1.4.34.6.2"
    package static let unifiedProcedureStepPull = "1.2.840.10008.5.1.4.34.6.3"
    package static let unifiedProcedureStepEvent = "1.2.840.10008.5.1.4.34.6.4"
    package static let unifiedProcedureStepQuery = "1.2.840.10008.5.1.4.34.6.5"
    /// All workitems, as what is subscribed to. PS3.4 §CC.3.1.2.
    package static let worklistSubscription = "1.2.840.10008.5.1.4.34.5"
    /// Those workitems that match. PS3.4 §CC.2.3.3.1.
    package static let filteredWorklistSubscription = "1.2.840.10008.5.1.4.34.5.1"
    package static let patientRootFind = "1.2.840.10008.5.1.4.1.2.1.1"
    package static let patientRootMove = "1.2.840.10008.5.1.4.1.2.1.2"
    package static let patientRootGet = "1.2.840.10008.5.1.4.1.2.1.3"
    package static let studyRootFind = "1.2.840.10008.5.1.4.1.2.2.1"
    package static let studyRootMove = "1.2.840.10008.5.1.4.1.2.2.2"
    package static let studyRootGet = "1.2.840.10008.5.1.4.1.2.2.3"
    package static let mediaStorageDirectory = "1.2.840.10008.1.3.10"
    package static let ctImageStorage = "1.2.840.10008.5.1.4.1.1.2"
    package static let mrImageStorage = "1.2.840.10008.5.1.4.1.1.4"
    package static let secondaryCaptureImageStorage = "1.2.840.10008.5.1.4.1.1.7"
    package static let basicTextSRStorage = "1.2.840.10008.5.1.4.1.1.88.11"
    package static let encapsulatedPDFStorage = "1.2.840.10008.5.1.4.1.1.104.1"
}
