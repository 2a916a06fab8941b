import HL7v2
import Workflow

/// What one hospital means by the names, codes and times in its messages, and how it wants to be answered.
///
/// Read from a YAML file by `SiteProfile.init(yaml:)`; everything has a default, so an empty file is a profile.
package struct SiteProfile: Sendable {
    /// Which MSA-1 tells a sender that the message was not taken for a reason that will pass.
    package enum TransientAnswer: String, Sendable, Hashable { case error = "AE", reject = "AR" }

    /// The identifier systems of the site and the names they go by.
    package var authorities: AssigningAuthorities
    /// What the site decides for the domain's rules.
    package var rules: SiteRules
    /// The system of placer order numbers without a known authority.
    package var placerSystem: String
    /// The system of filler order numbers without a known authority.
    package var fillerSystem: String
    /// The system of visit numbers without a known authority.
    package var visitSystem: String
    /// The system of practitioner ids without a known authority.
    package var practitionerSystem: String
    /// The zone of times sent without an offset. Without one such times are cut to their date.
    package var zone: SiteZone?
    package var transientAnswer: TransientAnswer
    /// Accepted values of MSH-11.1.
    package var acceptedProcessingIDs: [String]
    /// Accepted values of MSH-12.1; empty for every 2.x.
    package var acceptedVersions: [String]
    /// True when an empty PID field removes the value, as in feeds that always send the whole record.
    package var isSnapshot: Bool
    package var parser: Parser
    /// Code system URIs by their name in CWE.3 (table 0396 and local names), over the built-in ones.
    package var codeSystems: [String: String]
    /// DICOM modality by the site's code in OBR-24 or OBR-4, over the built-in table 0074 ones.
    package var modalities: [String: String]
    /// Where the site puts a value, by the name of the value, over the built-in places; the first valued path wins.
    package var fields: [FieldName: [FieldPath]]
    /// The worklist state for a pair `ORC-1_ORC-5`, over that of the tables; `CA_*` stands for any ORC-5, `NW_` for none.
    package var stepStatuses: [String: ScheduledProcedureStep.Status]
    /// Profiles of senders over this one, by `MSH-3.1|MSH-4.1`; of the site's alone.
    package var peers: [String: SiteProfile] = [:]
    /// Who is sent messages, in the order in which they are told.
    package var destinations: [OutboundDestination] = []

    /// Values whose place in the message a site may choose.
    package enum FieldName: String, Sendable, Hashable, CaseIterable {
        case accession, requestedProcedureID = "requested_procedure_id", stepID = "step_id"
        case studyInstanceUID = "study_instance_uid", modality, stationAETitle = "station_ae_title"
        case procedureCode = "procedure_code", scheduledAt = "scheduled_at"
    }

    /// A profile with the built-in tables. The three systems default to URNs under `urn:hilum:`.
    package init(
        authorities: AssigningAuthorities = AssigningAuthorities(
            authorities: [], defaultPatientSystem: "urn:hilum:patient", defaultAccessionSystem: "urn:hilum:accession"),
        zone: SiteZone? = nil
    ) {
        self.authorities = authorities
        rules = SiteRules()
        placerSystem = "urn:hilum:placer"
        fillerSystem = "urn:hilum:filler"
        visitSystem = "urn:hilum:visit"
        practitionerSystem = "urn:hilum:practitioner"
        self.zone = zone
        transientAnswer = .error
        acceptedProcessingIDs = ["P"]
        acceptedVersions = []
        isSnapshot = false
        parser = Parser()
        codeSystems = [:]
        modalities = [:]
        fields = [:]
        stepStatuses = [:]
    }

    /// The worklist state that the site gives a pair of order control and order status; nil where it leaves the pair to
    /// ``OrderCodes``.
    package func stepStatus(control: String, status: String) -> ScheduledProcedureStep.Status? {
        stepStatuses["\(control)_\(status)"] ?? stepStatuses["\(control)_*"]
    }
}
