import HL7v2
import Workflow

/// What MSH must hold before the content is looked at. HL7 v2.5.1 §2.9.2.2 (what is rejected).
struct HeaderCheck {
    let profile: SiteProfile

    /// Throws `MessageRefusal` with AR: MSH-9 or MSH-10 empty (101), MSH-11 not accepted (202), MSH-12 not accepted (203),
    /// MSH-3, 4 or 10 longer than is echoed (102).
    func check(_ header: MessageHeader, of message: Message) throws {
        var entries: [Acknowledgment.Entry] = []
        if header.messageCode.isEmpty {
            entries.append(entry(.requiredFieldMissing, field: 9, "MSH-9 is empty"))
        }
        if header.controlID.isEmpty {
            entries.append(entry(.requiredFieldMissing, field: 10, "MSH-10 is empty"))
        }
        if !profile.acceptedProcessingIDs.contains(header.processingID) {
            entries.append(entry(.unsupportedProcessingID, field: 11, "This processing id is not accepted here"))
        }
        if !isAccepted(version: header.version) {
            entries.append(entry(.unsupportedVersionID, field: 12, "This version is not accepted here"))
        }
        // The acknowledgment and the journal hold them whole or not at all.
        for field in [3, 4, 10]
        where message.segments[0][field].rawBytes.count > HL7Limits.echoedValueBytesMax {
            entries.append(
                entry(
                    .dataTypeError, field: field,
                    "MSH-\(field) is longer than \(HL7Limits.echoedValueBytesMax) bytes"))
        }
        if !entries.isEmpty { throw MessageRefusal(.reject, entries) }
    }

    private func isAccepted(version: String) -> Bool {
        if !profile.acceptedVersions.isEmpty { return profile.acceptedVersions.contains(version) }
        let parts = version.utf8.split(separator: 0x2E)
        return parts.count >= 2 && parts[0].elementsEqual([0x32])
            && parts.allSatisfy { part in
                part.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
            }
    }

    private func entry(_ condition: ErrorCondition, field: Int, _ message: String) -> Acknowledgment.Entry {
        Acknowledgment.Entry(condition, at: ErrorLocation(segment: "MSH", field: field), userMessage: message)
    }
}
