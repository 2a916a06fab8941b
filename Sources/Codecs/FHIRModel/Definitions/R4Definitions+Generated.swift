// Made by GenerateFHIRDefinitions from hl7.fhir.r4.core 4.0.1 (CC0-1.0).
// DefinitionText reads it and tells its form.
// swift-format-ignore-file
enum R4Definitions {
    static let types = #"""
r	Account	DomainResource
-identifier	*	Identifier	s
-status	1	code	sm	account-status
-type	?	CodeableConcept	s
-name	?	string	s
-subject	*	Reference:Patient:Device:Practitioner:PractitionerRole:Location:HealthcareService:Organization	s
-servicePeriod	?	Period	s
-coverage	*	Account.coverage	s
-owner	?	Reference:Organization	s
-description	?	string	s
-guarantor	*	Account.guarantor
-partOf	?	Reference:Account
n	Account.coverage	BackboneElement
-coverage	1	Reference:Coverage	s
-priority	?	positiveInt	s
n	Account.guarantor	BackboneElement
-party	1	Reference:Patient:RelatedPerson:Organization
-onHold	?	boolean
-period	?	Period
r	ActivityDefinition	DomainResource
-url	?	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-subtitle	?	string
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-subject	?	CodeableConcept,Reference:Group	x
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown	s
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-usage	?	string
-copyright	?	markdown
-approvalDate	?	date
-lastReviewDate	?	date
-effectivePeriod	?	Period	s
-topic	*	CodeableConcept
-author	*	ContactDetail
-editor	*	ContactDetail
-reviewer	*	ContactDetail
-endorser	*	ContactDetail
-relatedArtifact	*	RelatedArtifact
-library	*	canonical:Library
-kind	?	code	s	request-resource-types
-profile	?	canonical:StructureDefinition
-code	?	CodeableConcept	s
-intent	?	code		request-intent
-priority	?	code		request-priority
-doNotPerform	?	boolean	sm
-timing	?	Timing,dateTime,Age,Period,Range,Duration	x
-location	?	Reference:Location
-participant	*	ActivityDefinition.participant
-product	?	Reference:Medication:Substance,CodeableConcept	x
-quantity	?	Quantity
-dosage	*	Dosage
-bodySite	*	CodeableConcept
-specimenRequirement	*	Reference:SpecimenDefinition
-observationRequirement	*	Reference:ObservationDefinition
-observationResultRequirement	*	Reference:ObservationDefinition
-transform	?	canonical:StructureMap
-dynamicValue	*	ActivityDefinition.dynamicValue
n	ActivityDefinition.participant	BackboneElement
-type	1	code		action-participant-type
-role	?	CodeableConcept
n	ActivityDefinition.dynamicValue	BackboneElement
-path	1	string
-expression	1	Expression
t	Address	Element
-use	?	code	sm	address-use
-type	?	code	s	address-type
-text	?	string	s
-line	*	string	s
-city	?	string	s
-district	?	string	s
-state	?	string	s
-postalCode	?	string	s
-country	?	string	s
-period	?	Period	s
r	AdverseEvent	DomainResource
-identifier	?	Identifier	s
-actuality	1	code	sm	adverse-event-actuality
-category	*	CodeableConcept	s
-event	?	CodeableConcept	s
-subject	1	Reference:Patient:Group:Practitioner:RelatedPerson	s
-encounter	?	Reference:Encounter	s
-date	?	dateTime	s
-detected	?	dateTime	s
-recordedDate	?	dateTime	s
-resultingCondition	*	Reference:Condition	s
-location	?	Reference:Location	s
-seriousness	?	CodeableConcept	s
-severity	?	CodeableConcept	s
-outcome	?	CodeableConcept	s
-recorder	?	Reference:Patient:Practitioner:PractitionerRole:RelatedPerson	s
-contributor	*	Reference:Practitioner:PractitionerRole:Device	s
-suspectEntity	*	AdverseEvent.suspectEntity	s
-subjectMedicalHistory	*	Reference:Condition:Observation:AllergyIntolerance:FamilyMemberHistory:Immunization:Procedure:Media:DocumentReference	s
-referenceDocument	*	Reference:DocumentReference	s
-study	*	Reference:ResearchStudy	s
n	AdverseEvent.suspectEntity	BackboneElement
-instance	1	Reference:Immunization:Procedure:Substance:Medication:MedicationAdministration:MedicationStatement:Device	s
-causality	*	AdverseEvent.suspectEntity.causality	s
n	AdverseEvent.suspectEntity.causality	BackboneElement
-assessment	?	CodeableConcept	s
-productRelatedness	?	string	s
-author	?	Reference:Practitioner:PractitionerRole	s
-method	?	CodeableConcept	s
t	Age	Quantity
r	AllergyIntolerance	DomainResource
-identifier	*	Identifier	s
-clinicalStatus	?	CodeableConcept	sm
-verificationStatus	?	CodeableConcept	sm
-type	?	code	s	allergy-intolerance-type
-category	*	code	s	allergy-intolerance-category
-criticality	?	code	s	allergy-intolerance-criticality
-code	?	CodeableConcept	s
-patient	1	Reference:Patient	s
-encounter	?	Reference:Encounter
-onset	?	dateTime,Age,Period,Range,string	x
-recordedDate	?	dateTime
-recorder	?	Reference:Practitioner:PractitionerRole:Patient:RelatedPerson
-asserter	?	Reference:Patient:RelatedPerson:Practitioner:PractitionerRole	s
-lastOccurrence	?	dateTime
-note	*	Annotation
-reaction	*	AllergyIntolerance.reaction
n	AllergyIntolerance.reaction	BackboneElement
-substance	?	CodeableConcept
-manifestation	+	CodeableConcept
-description	?	string
-onset	?	dateTime
-severity	?	code		reaction-event-severity
-exposureRoute	?	CodeableConcept
-note	*	Annotation
t	Annotation	Element
-author	?	Reference:Practitioner:Patient:RelatedPerson:Organization,string	xs
-time	?	dateTime	s
-text	1	markdown	s
r	Appointment	DomainResource
-identifier	*	Identifier	s
-status	1	code	sm	appointmentstatus
-cancelationReason	?	CodeableConcept	s
-serviceCategory	*	CodeableConcept	s
-serviceType	*	CodeableConcept	s
-specialty	*	CodeableConcept	s
-appointmentType	?	CodeableConcept	s
-reasonCode	*	CodeableConcept	s
-reasonReference	*	Reference:Condition:Procedure:Observation:ImmunizationRecommendation
-priority	?	unsignedInt
-description	?	string
-supportingInformation	*	Reference
-start	?	instant	s
-end	?	instant	s
-minutesDuration	?	positiveInt
-slot	*	Reference:Slot
-created	?	dateTime
-comment	?	string
-patientInstruction	?	string
-basedOn	*	Reference:ServiceRequest
-participant	+	Appointment.participant
-requestedPeriod	*	Period
n	Appointment.participant	BackboneElement
-type	*	CodeableConcept	s
-actor	?	Reference:Patient:Practitioner:PractitionerRole:RelatedPerson:Device:HealthcareService:Location	s
-required	?	code	s	participantrequired
-status	1	code	s	participationstatus
-period	?	Period
r	AppointmentResponse	DomainResource
-identifier	*	Identifier	s
-appointment	1	Reference:Appointment	s
-start	?	instant
-end	?	instant
-participantType	*	CodeableConcept	s
-actor	?	Reference:Patient:Practitioner:PractitionerRole:RelatedPerson:Device:HealthcareService:Location	s
-participantStatus	1	code	sm	participationstatus
-comment	?	string
t	Attachment	Element
-contentType	?	code	s		mimetypes
-language	?	code	s		languages
-data	?	base64Binary
-url	?	url	s
-size	?	unsignedInt	s
-hash	?	base64Binary	s
-title	?	string	s
-creation	?	dateTime	s
r	AuditEvent	DomainResource
-type	1	Coding	s
-subtype	*	Coding	s
-action	?	code	s	audit-event-action
-period	?	Period
-recorded	1	instant	s
-outcome	?	code	s	audit-event-outcome
-outcomeDesc	?	string	s
-purposeOfEvent	*	CodeableConcept	s
-agent	+	AuditEvent.agent
-source	1	AuditEvent.source
-entity	*	AuditEvent.entity
n	AuditEvent.agent	BackboneElement
-type	?	CodeableConcept
-role	*	CodeableConcept
-who	?	Reference:PractitionerRole:Practitioner:Organization:Device:Patient:RelatedPerson	s
-altId	?	string
-name	?	string
-requestor	1	boolean	s
-location	?	Reference:Location
-policy	*	uri
-media	?	Coding
-network	?	AuditEvent.agent.network
-purposeOfUse	*	CodeableConcept
n	AuditEvent.agent.network	BackboneElement
-address	?	string
-type	?	code		network-type
n	AuditEvent.source	BackboneElement
-site	?	string
-observer	1	Reference:PractitionerRole:Practitioner:Organization:Device:Patient:RelatedPerson	s
-type	*	Coding
n	AuditEvent.entity	BackboneElement
-what	?	Reference	s
-type	?	Coding
-role	?	Coding
-lifecycle	?	Coding
-securityLabel	*	Coding
-name	?	string	s
-description	?	string
-query	?	base64Binary	s
-detail	*	AuditEvent.entity.detail
n	AuditEvent.entity.detail	BackboneElement
-type	1	string
-value	1	string,base64Binary	x
t	BackboneElement	Element
-modifierExtension	*	Extension	sm
r	Basic	DomainResource
-identifier	*	Identifier	s
-code	1	CodeableConcept	sm
-subject	?	Reference	s
-created	?	date	s
-author	?	Reference:Practitioner:PractitionerRole:Patient:RelatedPerson:Organization	s
r	Binary	Resource
-contentType	1	code	s		mimetypes
-securityContext	?	Reference	s
-data	?	base64Binary
r	BiologicallyDerivedProduct	DomainResource
-identifier	*	Identifier	s
-productCategory	?	code		product-category
-productCode	?	CodeableConcept
-status	?	code		product-status
-request	*	Reference:ServiceRequest
-quantity	?	integer
-parent	*	Reference:BiologicallyDerivedProduct
-collection	?	BiologicallyDerivedProduct.collection
-processing	*	BiologicallyDerivedProduct.processing
-manipulation	?	BiologicallyDerivedProduct.manipulation
-storage	*	BiologicallyDerivedProduct.storage
n	BiologicallyDerivedProduct.collection	BackboneElement
-collector	?	Reference:Practitioner:PractitionerRole
-source	?	Reference:Patient:Organization
-collected	?	dateTime,Period	x
n	BiologicallyDerivedProduct.processing	BackboneElement
-description	?	string
-procedure	?	CodeableConcept
-additive	?	Reference:Substance
-time	?	dateTime,Period	x
n	BiologicallyDerivedProduct.manipulation	BackboneElement
-description	?	string
-time	?	dateTime,Period	x
n	BiologicallyDerivedProduct.storage	BackboneElement
-description	?	string
-temperature	?	decimal
-scale	?	code		product-storage-scale
-duration	?	Period
r	BodyStructure	DomainResource
-identifier	*	Identifier	s
-active	?	boolean	sm
-morphology	?	CodeableConcept	s
-location	?	CodeableConcept	s
-locationQualifier	*	CodeableConcept
-description	?	string	s
-image	*	Attachment
-patient	1	Reference:Patient	s
r	Bundle	Resource
-identifier	?	Identifier	s
-type	1	code	s	bundle-type
-timestamp	?	instant	s
-total	?	unsignedInt	s
-link	*	Bundle.link	s
-entry	*	Bundle.entry	s
-signature	?	Signature	s
n	Bundle.link	BackboneElement
-relation	1	string	s
-url	1	uri	s
n	Bundle.entry	BackboneElement
-link	*	Bundle.link	s
-fullUrl	?	uri	s
-resource	?	Resource	s
-search	?	Bundle.entry.search	s
-request	?	Bundle.entry.request	s
-response	?	Bundle.entry.response	s
n	Bundle.entry.search	BackboneElement
-mode	?	code	s	search-entry-mode
-score	?	decimal	s
n	Bundle.entry.request	BackboneElement
-method	1	code	s	http-verb
-url	1	uri	s
-ifNoneMatch	?	string	s
-ifModifiedSince	?	instant	s
-ifMatch	?	string	s
-ifNoneExist	?	string	s
n	Bundle.entry.response	BackboneElement
-status	1	string	s
-location	?	uri	s
-etag	?	string	s
-lastModified	?	instant	s
-outcome	?	Resource	s
r	CapabilityStatement	DomainResource
-url	?	uri	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-date	1	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-copyright	?	markdown
-kind	1	code	s	capability-statement-kind
-instantiates	*	canonical:CapabilityStatement	s
-imports	*	canonical:CapabilityStatement	s
-software	?	CapabilityStatement.software	s
-implementation	?	CapabilityStatement.implementation	s
-fhirVersion	1	code	s	FHIR-version
-format	+	code	s		mimetypes
-patchFormat	*	code	s		mimetypes
-implementationGuide	*	canonical:ImplementationGuide	s
-rest	*	CapabilityStatement.rest	s
-messaging	*	CapabilityStatement.messaging	s
-document	*	CapabilityStatement.document	s
n	CapabilityStatement.software	BackboneElement
-name	1	string	s
-version	?	string	s
-releaseDate	?	dateTime	s
n	CapabilityStatement.implementation	BackboneElement
-description	1	string	s
-url	?	url	s
-custodian	?	Reference:Organization	s
n	CapabilityStatement.rest	BackboneElement
-mode	1	code	s	restful-capability-mode
-documentation	?	markdown
-security	?	CapabilityStatement.rest.security	s
-resource	*	CapabilityStatement.rest.resource	s
-interaction	*	CapabilityStatement.rest.interaction
-searchParam	*	CapabilityStatement.rest.resource.searchParam
-operation	*	CapabilityStatement.rest.resource.operation	s
-compartment	*	canonical:CompartmentDefinition
n	CapabilityStatement.rest.security	BackboneElement
-cors	?	boolean	s
-service	*	CodeableConcept	s
-description	?	markdown
n	CapabilityStatement.rest.resource	BackboneElement
-type	1	code	s	resource-types
-profile	?	canonical:StructureDefinition	s
-supportedProfile	*	canonical:StructureDefinition	s
-documentation	?	markdown
-interaction	*	CapabilityStatement.rest.resource.interaction
-versioning	?	code		versioning-policy
-readHistory	?	boolean
-updateCreate	?	boolean
-conditionalCreate	?	boolean
-conditionalRead	?	code		conditional-read-status
-conditionalUpdate	?	boolean
-conditionalDelete	?	code		conditional-delete-status
-referencePolicy	*	code		reference-handling-policy
-searchInclude	*	string
-searchRevInclude	*	string
-searchParam	*	CapabilityStatement.rest.resource.searchParam
-operation	*	CapabilityStatement.rest.resource.operation	s
n	CapabilityStatement.rest.resource.interaction	BackboneElement
-code	1	code		type-restful-interaction
-documentation	?	markdown
n	CapabilityStatement.rest.resource.searchParam	BackboneElement
-name	1	string
-definition	?	canonical:SearchParameter
-type	1	code		search-param-type
-documentation	?	markdown
n	CapabilityStatement.rest.resource.operation	BackboneElement
-name	1	string	s
-definition	1	canonical:OperationDefinition	s
-documentation	?	markdown
n	CapabilityStatement.rest.interaction	BackboneElement
-code	1	code		system-restful-interaction
-documentation	?	markdown
n	CapabilityStatement.messaging	BackboneElement
-endpoint	*	CapabilityStatement.messaging.endpoint
-reliableCache	?	unsignedInt
-documentation	?	markdown
-supportedMessage	*	CapabilityStatement.messaging.supportedMessage	s
n	CapabilityStatement.messaging.endpoint	BackboneElement
-protocol	1	Coding
-address	1	url
n	CapabilityStatement.messaging.supportedMessage	BackboneElement
-mode	1	code	s	event-capability-mode
-definition	1	canonical:MessageDefinition	s
n	CapabilityStatement.document	BackboneElement
-mode	1	code	s	document-mode
-documentation	?	markdown
-profile	1	canonical:StructureDefinition	s
r	CarePlan	DomainResource
-identifier	*	Identifier	s
-instantiatesCanonical	*	canonical:PlanDefinition:Questionnaire:Measure:ActivityDefinition:OperationDefinition	s
-instantiatesUri	*	uri	s
-basedOn	*	Reference:CarePlan	s
-replaces	*	Reference:CarePlan	s
-partOf	*	Reference:CarePlan	s
-status	1	code	sm	request-status
-intent	1	code	sm	care-plan-intent
-category	*	CodeableConcept	s
-title	?	string	s
-description	?	string	s
-subject	1	Reference:Patient:Group	s
-encounter	?	Reference:Encounter	s
-period	?	Period	s
-created	?	dateTime	s
-author	?	Reference:Patient:Practitioner:PractitionerRole:Device:RelatedPerson:Organization:CareTeam	s
-contributor	*	Reference:Patient:Practitioner:PractitionerRole:Device:RelatedPerson:Organization:CareTeam
-careTeam	*	Reference:CareTeam
-addresses	*	Reference:Condition	s
-supportingInfo	*	Reference
-goal	*	Reference:Goal
-activity	*	CarePlan.activity
-note	*	Annotation
n	CarePlan.activity	BackboneElement
-outcomeCodeableConcept	*	CodeableConcept
-outcomeReference	*	Reference
-progress	*	Annotation
-reference	?	Reference:Appointment:CommunicationRequest:DeviceRequest:MedicationRequest:NutritionOrder:Task:ServiceRequest:VisionPrescription:RequestGroup
-detail	?	CarePlan.activity.detail
n	CarePlan.activity.detail	BackboneElement
-kind	?	code		care-plan-activity-kind
-instantiatesCanonical	*	canonical:PlanDefinition:ActivityDefinition:Questionnaire:Measure:OperationDefinition
-instantiatesUri	*	uri
-code	?	CodeableConcept
-reasonCode	*	CodeableConcept
-reasonReference	*	Reference:Condition:Observation:DiagnosticReport:DocumentReference
-goal	*	Reference:Goal
-status	1	code	m	care-plan-activity-status
-statusReason	?	CodeableConcept
-doNotPerform	?	boolean	m
-scheduled	?	Timing,Period,string	x
-location	?	Reference:Location
-performer	*	Reference:Practitioner:PractitionerRole:Organization:RelatedPerson:Patient:CareTeam:HealthcareService:Device
-product	?	CodeableConcept,Reference:Medication:Substance	x
-dailyAmount	?	Quantity
-quantity	?	Quantity
-description	?	string
r	CareTeam	DomainResource
-identifier	*	Identifier	s
-status	?	code	sm	care-team-status
-category	*	CodeableConcept	s
-name	?	string	s
-subject	?	Reference:Patient:Group	s
-encounter	?	Reference:Encounter	s
-period	?	Period	s
-participant	*	CareTeam.participant
-reasonCode	*	CodeableConcept
-reasonReference	*	Reference:Condition
-managingOrganization	*	Reference:Organization	s
-telecom	*	ContactPoint
-note	*	Annotation
n	CareTeam.participant	BackboneElement
-role	*	CodeableConcept	s
-member	?	Reference:Practitioner:PractitionerRole:RelatedPerson:Patient:Organization:CareTeam	s
-onBehalfOf	?	Reference:Organization	s
-period	?	Period
r	CatalogEntry	DomainResource
-identifier	*	Identifier	s
-type	?	CodeableConcept
-orderable	1	boolean	s
-referencedItem	1	Reference:Medication:Device:Organization:Practitioner:PractitionerRole:HealthcareService:ActivityDefinition:PlanDefinition:SpecimenDefinition:ObservationDefinition:Binary	s
-additionalIdentifier	*	Identifier
-classification	*	CodeableConcept
-status	?	code		publication-status
-validityPeriod	?	Period
-validTo	?	dateTime
-lastUpdated	?	dateTime
-additionalCharacteristic	*	CodeableConcept
-additionalClassification	*	CodeableConcept
-relatedEntry	*	CatalogEntry.relatedEntry
n	CatalogEntry.relatedEntry	BackboneElement
-relationtype	1	code		relation-type
-item	1	Reference:CatalogEntry
r	ChargeItem	DomainResource
-identifier	*	Identifier	s
-definitionUri	*	uri
-definitionCanonical	*	canonical:ChargeItemDefinition
-status	1	code	sm	chargeitem-status
-partOf	*	Reference:ChargeItem
-code	1	CodeableConcept	s
-subject	1	Reference:Patient:Group	s
-context	?	Reference:Encounter:EpisodeOfCare	s
-occurrence	?	dateTime,Period,Timing	xs
-performer	*	ChargeItem.performer
-performingOrganization	?	Reference:Organization
-requestingOrganization	?	Reference:Organization
-costCenter	?	Reference:Organization
-quantity	?	Quantity	s
-bodysite	*	CodeableConcept	s
-factorOverride	?	decimal
-priceOverride	?	Money
-overrideReason	?	string
-enterer	?	Reference:Practitioner:PractitionerRole:Organization:Patient:Device:RelatedPerson	s
-enteredDate	?	dateTime	s
-reason	*	CodeableConcept
-service	*	Reference:DiagnosticReport:ImagingStudy:Immunization:MedicationAdministration:MedicationDispense:Observation:Procedure:SupplyDelivery
-product	?	Reference:Device:Medication:Substance,CodeableConcept	x
-account	*	Reference:Account	s
-note	*	Annotation
-supportingInformation	*	Reference
n	ChargeItem.performer	BackboneElement
-function	?	CodeableConcept
-actor	1	Reference:Practitioner:PractitionerRole:Organization:CareTeam:Patient:Device:RelatedPerson
r	ChargeItemDefinition	DomainResource
-url	1	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-title	?	string	s
-derivedFromUri	*	uri	s
-partOf	*	canonical:ChargeItemDefinition	s
-replaces	*	canonical:ChargeItemDefinition	s
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown	s
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-copyright	?	markdown
-approvalDate	?	date
-lastReviewDate	?	date
-effectivePeriod	?	Period	s
-code	?	CodeableConcept	s
-instance	*	Reference:Medication:Substance:Device
-applicability	*	ChargeItemDefinition.applicability
-propertyGroup	*	ChargeItemDefinition.propertyGroup
n	ChargeItemDefinition.applicability	BackboneElement
-description	?	string
-language	?	string
-expression	?	string
n	ChargeItemDefinition.propertyGroup	BackboneElement
-applicability	*	ChargeItemDefinition.applicability
-priceComponent	*	ChargeItemDefinition.propertyGroup.priceComponent
n	ChargeItemDefinition.propertyGroup.priceComponent	BackboneElement
-type	1	code		invoice-priceComponentType
-code	?	CodeableConcept
-factor	?	decimal
-amount	?	Money
r	Claim	DomainResource
-identifier	*	Identifier
-status	1	code	sm	fm-status
-type	1	CodeableConcept	s
-subType	?	CodeableConcept
-use	1	code	s	claim-use
-patient	1	Reference:Patient	s
-billablePeriod	?	Period	s
-created	1	dateTime	s
-enterer	?	Reference:Practitioner:PractitionerRole
-insurer	?	Reference:Organization	s
-provider	1	Reference:Practitioner:PractitionerRole:Organization	s
-priority	1	CodeableConcept	s
-fundsReserve	?	CodeableConcept
-related	*	Claim.related
-prescription	?	Reference:DeviceRequest:MedicationRequest:VisionPrescription
-originalPrescription	?	Reference:DeviceRequest:MedicationRequest:VisionPrescription
-payee	?	Claim.payee
-referral	?	Reference:ServiceRequest
-facility	?	Reference:Location
-careTeam	*	Claim.careTeam
-supportingInfo	*	Claim.supportingInfo
-diagnosis	*	Claim.diagnosis
-procedure	*	Claim.procedure
-insurance	+	Claim.insurance	s
-accident	?	Claim.accident
-item	*	Claim.item
-total	?	Money
n	Claim.related	BackboneElement
-claim	?	Reference:Claim
-relationship	?	CodeableConcept
-reference	?	Identifier
n	Claim.payee	BackboneElement
-type	1	CodeableConcept
-party	?	Reference:Practitioner:PractitionerRole:Organization:Patient:RelatedPerson
n	Claim.careTeam	BackboneElement
-sequence	1	positiveInt
-provider	1	Reference:Practitioner:PractitionerRole:Organization
-responsible	?	boolean
-role	?	CodeableConcept
-qualification	?	CodeableConcept
n	Claim.supportingInfo	BackboneElement
-sequence	1	positiveInt
-category	1	CodeableConcept
-code	?	CodeableConcept
-timing	?	date,Period	x
-value	?	boolean,string,Quantity,Attachment,Reference	x
-reason	?	CodeableConcept
n	Claim.diagnosis	BackboneElement
-sequence	1	positiveInt
-diagnosis	1	CodeableConcept,Reference:Condition	x
-type	*	CodeableConcept
-onAdmission	?	CodeableConcept
-packageCode	?	CodeableConcept
n	Claim.procedure	BackboneElement
-sequence	1	positiveInt
-type	*	CodeableConcept
-date	?	dateTime
-procedure	1	CodeableConcept,Reference:Procedure	x
-udi	*	Reference:Device
n	Claim.insurance	BackboneElement
-sequence	1	positiveInt	s
-focal	1	boolean	s
-identifier	?	Identifier
-coverage	1	Reference:Coverage	s
-businessArrangement	?	string
-preAuthRef	*	string
-claimResponse	?	Reference:ClaimResponse
n	Claim.accident	BackboneElement
-date	1	date
-type	?	CodeableConcept
-location	?	Address,Reference:Location	x
n	Claim.item	BackboneElement
-sequence	1	positiveInt
-careTeamSequence	*	positiveInt
-diagnosisSequence	*	positiveInt
-procedureSequence	*	positiveInt
-informationSequence	*	positiveInt
-revenue	?	CodeableConcept
-category	?	CodeableConcept
-productOrService	1	CodeableConcept
-modifier	*	CodeableConcept
-programCode	*	CodeableConcept
-serviced	?	date,Period	x
-location	?	CodeableConcept,Address,Reference:Location	x
-quantity	?	Quantity
-unitPrice	?	Money
-factor	?	decimal
-net	?	Money
-udi	*	Reference:Device
-bodySite	?	CodeableConcept
-subSite	*	CodeableConcept
-encounter	*	Reference:Encounter
-detail	*	Claim.item.detail
n	Claim.item.detail	BackboneElement
-sequence	1	positiveInt
-revenue	?	CodeableConcept
-category	?	CodeableConcept
-productOrService	1	CodeableConcept
-modifier	*	CodeableConcept
-programCode	*	CodeableConcept
-quantity	?	Quantity
-unitPrice	?	Money
-factor	?	decimal
-net	?	Money
-udi	*	Reference:Device
-subDetail	*	Claim.item.detail.subDetail
n	Claim.item.detail.subDetail	BackboneElement
-sequence	1	positiveInt
-revenue	?	CodeableConcept
-category	?	CodeableConcept
-productOrService	1	CodeableConcept
-modifier	*	CodeableConcept
-programCode	*	CodeableConcept
-quantity	?	Quantity
-unitPrice	?	Money
-factor	?	decimal
-net	?	Money
-udi	*	Reference:Device
r	ClaimResponse	DomainResource
-identifier	*	Identifier
-status	1	code	sm	fm-status
-type	1	CodeableConcept	s
-subType	?	CodeableConcept
-use	1	code	s	claim-use
-patient	1	Reference:Patient	s
-created	1	dateTime	s
-insurer	1	Reference:Organization	s
-requestor	?	Reference:Practitioner:PractitionerRole:Organization
-request	?	Reference:Claim	s
-outcome	1	code	s	remittance-outcome
-disposition	?	string
-preAuthRef	?	string
-preAuthPeriod	?	Period
-payeeType	?	CodeableConcept
-item	*	ClaimResponse.item
-addItem	*	ClaimResponse.addItem
-adjudication	*	ClaimResponse.item.adjudication
-total	*	ClaimResponse.total	s
-payment	?	ClaimResponse.payment
-fundsReserve	?	CodeableConcept
-formCode	?	CodeableConcept
-form	?	Attachment
-processNote	*	ClaimResponse.processNote
-communicationRequest	*	Reference:CommunicationRequest
-insurance	*	ClaimResponse.insurance
-error	*	ClaimResponse.error
n	ClaimResponse.item	BackboneElement
-itemSequence	1	positiveInt
-noteNumber	*	positiveInt
-adjudication	+	ClaimResponse.item.adjudication
-detail	*	ClaimResponse.item.detail
n	ClaimResponse.item.adjudication	BackboneElement
-category	1	CodeableConcept
-reason	?	CodeableConcept
-amount	?	Money
-value	?	decimal
n	ClaimResponse.item.detail	BackboneElement
-detailSequence	1	positiveInt
-noteNumber	*	positiveInt
-adjudication	+	ClaimResponse.item.adjudication
-subDetail	*	ClaimResponse.item.detail.subDetail
n	ClaimResponse.item.detail.subDetail	BackboneElement
-subDetailSequence	1	positiveInt
-noteNumber	*	positiveInt
-adjudication	*	ClaimResponse.item.adjudication
n	ClaimResponse.addItem	BackboneElement
-itemSequence	*	positiveInt
-detailSequence	*	positiveInt
-subdetailSequence	*	positiveInt
-provider	*	Reference:Practitioner:PractitionerRole:Organization
-productOrService	1	CodeableConcept
-modifier	*	CodeableConcept
-programCode	*	CodeableConcept
-serviced	?	date,Period	x
-location	?	CodeableConcept,Address,Reference:Location	x
-quantity	?	Quantity
-unitPrice	?	Money
-factor	?	decimal
-net	?	Money
-bodySite	?	CodeableConcept
-subSite	*	CodeableConcept
-noteNumber	*	positiveInt
-adjudication	+	ClaimResponse.item.adjudication
-detail	*	ClaimResponse.addItem.detail
n	ClaimResponse.addItem.detail	BackboneElement
-productOrService	1	CodeableConcept
-modifier	*	CodeableConcept
-quantity	?	Quantity
-unitPrice	?	Money
-factor	?	decimal
-net	?	Money
-noteNumber	*	positiveInt
-adjudication	+	ClaimResponse.item.adjudication
-subDetail	*	ClaimResponse.addItem.detail.subDetail
n	ClaimResponse.addItem.detail.subDetail	BackboneElement
-productOrService	1	CodeableConcept
-modifier	*	CodeableConcept
-quantity	?	Quantity
-unitPrice	?	Money
-factor	?	decimal
-net	?	Money
-noteNumber	*	positiveInt
-adjudication	+	ClaimResponse.item.adjudication
n	ClaimResponse.total	BackboneElement
-category	1	CodeableConcept	s
-amount	1	Money	s
n	ClaimResponse.payment	BackboneElement
-type	1	CodeableConcept
-adjustment	?	Money
-adjustmentReason	?	CodeableConcept
-date	?	date
-amount	1	Money
-identifier	?	Identifier
n	ClaimResponse.processNote	BackboneElement
-number	?	positiveInt
-type	?	code		note-type
-text	1	string
-language	?	CodeableConcept
n	ClaimResponse.insurance	BackboneElement
-sequence	1	positiveInt
-focal	1	boolean
-coverage	1	Reference:Coverage
-businessArrangement	?	string
-claimResponse	?	Reference:ClaimResponse
n	ClaimResponse.error	BackboneElement
-itemSequence	?	positiveInt
-detailSequence	?	positiveInt
-subDetailSequence	?	positiveInt
-code	1	CodeableConcept
r	ClinicalImpression	DomainResource
-identifier	*	Identifier	s
-status	1	code	sm	clinicalimpression-status
-statusReason	?	CodeableConcept
-code	?	CodeableConcept	s
-description	?	string	s
-subject	1	Reference:Patient:Group	s
-encounter	?	Reference:Encounter	s
-effective	?	dateTime,Period	xs
-date	?	dateTime	s
-assessor	?	Reference:Practitioner:PractitionerRole	s
-previous	?	Reference:ClinicalImpression
-problem	*	Reference:Condition:AllergyIntolerance	s
-investigation	*	ClinicalImpression.investigation
-protocol	*	uri
-summary	?	string
-finding	*	ClinicalImpression.finding
-prognosisCodeableConcept	*	CodeableConcept
-prognosisReference	*	Reference:RiskAssessment
-supportingInfo	*	Reference
-note	*	Annotation
n	ClinicalImpression.investigation	BackboneElement
-code	1	CodeableConcept
-item	*	Reference:Observation:QuestionnaireResponse:FamilyMemberHistory:DiagnosticReport:RiskAssessment:ImagingStudy:Media
n	ClinicalImpression.finding	BackboneElement
-itemCodeableConcept	?	CodeableConcept
-itemReference	?	Reference:Condition:Observation:Media
-basis	?	string
r	CodeSystem	DomainResource
-url	?	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-copyright	?	markdown
-caseSensitive	?	boolean	s
-valueSet	?	canonical:ValueSet	s
-hierarchyMeaning	?	code	s	codesystem-hierarchy-meaning
-compositional	?	boolean	s
-versionNeeded	?	boolean	s
-content	1	code	s	codesystem-content-mode
-supplements	?	canonical:CodeSystem	s
-count	?	unsignedInt	s
-filter	*	CodeSystem.filter	s
-property	*	CodeSystem.property	s
-concept	*	CodeSystem.concept
n	CodeSystem.filter	BackboneElement
-code	1	code	s
-description	?	string	s
-operator	+	code	s	filter-operator
-value	1	string	s
n	CodeSystem.property	BackboneElement
-code	1	code	s
-uri	?	uri	s
-description	?	string	s
-type	1	code	s	concept-property-type
n	CodeSystem.concept	BackboneElement
-code	1	code
-display	?	string
-definition	?	string
-designation	*	CodeSystem.concept.designation
-property	*	CodeSystem.concept.property
-concept	*	CodeSystem.concept
n	CodeSystem.concept.designation	BackboneElement
-language	?	code			languages
-use	?	Coding
-value	1	string
n	CodeSystem.concept.property	BackboneElement
-code	1	code
-value	1	code,Coding,string,integer,boolean,dateTime,decimal	x
t	CodeableConcept	Element
-coding	*	Coding	s
-text	?	string	s
t	Coding	Element
-system	?	uri	s
-version	?	string	s
-code	?	code	s
-display	?	string	s
-userSelected	?	boolean	s
r	Communication	DomainResource
-identifier	*	Identifier	s
-instantiatesCanonical	*	canonical:PlanDefinition:ActivityDefinition:Measure:OperationDefinition:Questionnaire	s
-instantiatesUri	*	uri	s
-basedOn	*	Reference	s
-partOf	*	Reference	s
-inResponseTo	*	Reference:Communication
-status	1	code	sm	event-status
-statusReason	?	CodeableConcept	s
-category	*	CodeableConcept
-priority	?	code	s	request-priority
-medium	*	CodeableConcept
-subject	?	Reference:Patient:Group	s
-topic	?	CodeableConcept
-about	*	Reference
-encounter	?	Reference:Encounter	s
-sent	?	dateTime
-received	?	dateTime
-recipient	*	Reference:Device:Organization:Patient:Practitioner:PractitionerRole:RelatedPerson:Group:CareTeam:HealthcareService
-sender	?	Reference:Device:Organization:Patient:Practitioner:PractitionerRole:RelatedPerson:HealthcareService
-reasonCode	*	CodeableConcept	s
-reasonReference	*	Reference:Condition:Observation:DiagnosticReport:DocumentReference	s
-payload	*	Communication.payload
-note	*	Annotation
n	Communication.payload	BackboneElement
-content	1	string,Attachment,Reference	x
r	CommunicationRequest	DomainResource
-identifier	*	Identifier	s
-basedOn	*	Reference	s
-replaces	*	Reference:CommunicationRequest	s
-groupIdentifier	?	Identifier	s
-status	1	code	sm	request-status
-statusReason	?	CodeableConcept
-category	*	CodeableConcept
-priority	?	code	s	request-priority
-doNotPerform	?	boolean	sm
-medium	*	CodeableConcept
-subject	?	Reference:Patient:Group
-about	*	Reference
-encounter	?	Reference:Encounter	s
-payload	*	CommunicationRequest.payload
-occurrence	?	dateTime,Period	xs
-authoredOn	?	dateTime	s
-requester	?	Reference:Practitioner:PractitionerRole:Organization:Patient:RelatedPerson:Device	s
-recipient	*	Reference:Device:Organization:Patient:Practitioner:PractitionerRole:RelatedPerson:Group:CareTeam:HealthcareService
-sender	?	Reference:Device:Organization:Patient:Practitioner:PractitionerRole:RelatedPerson:HealthcareService	s
-reasonCode	*	CodeableConcept	s
-reasonReference	*	Reference:Condition:Observation:DiagnosticReport:DocumentReference	s
-note	*	Annotation
n	CommunicationRequest.payload	BackboneElement
-content	1	string,Attachment,Reference	x
r	CompartmentDefinition	DomainResource
-url	1	uri	s
-version	?	string	s
-name	1	string	s
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown
-useContext	*	UsageContext	s
-purpose	?	markdown
-code	1	code	s	compartment-type
-search	1	boolean	s
-resource	*	CompartmentDefinition.resource	s
n	CompartmentDefinition.resource	BackboneElement
-code	1	code	s	resource-types
-param	*	string	s
-documentation	?	string
r	Composition	DomainResource
-identifier	?	Identifier	s
-status	1	code	sm	composition-status
-type	1	CodeableConcept	s
-category	*	CodeableConcept	s
-subject	?	Reference	s
-encounter	?	Reference:Encounter	s
-date	1	dateTime	s
-author	+	Reference:Practitioner:PractitionerRole:Device:Patient:RelatedPerson:Organization	s
-title	1	string	s
-confidentiality	?	code	s	v3-ConfidentialityClassification
-attester	*	Composition.attester
-custodian	?	Reference:Organization	s
-relatesTo	*	Composition.relatesTo
-event	*	Composition.event	s
-section	*	Composition.section
n	Composition.attester	BackboneElement
-mode	1	code		composition-attestation-mode
-time	?	dateTime
-party	?	Reference:Patient:RelatedPerson:Practitioner:PractitionerRole:Organization
n	Composition.relatesTo	BackboneElement
-code	1	code		document-relationship-type
-target	1	Identifier,Reference:Composition	x
n	Composition.event	BackboneElement
-code	*	CodeableConcept	s
-period	?	Period	s
-detail	*	Reference	s
n	Composition.section	BackboneElement
-title	?	string
-code	?	CodeableConcept
-author	*	Reference:Practitioner:PractitionerRole:Device:Patient:RelatedPerson:Organization
-focus	?	Reference
-text	?	Narrative
-mode	?	code		list-mode
-orderedBy	?	CodeableConcept
-entry	*	Reference
-emptyReason	?	CodeableConcept
-section	*	Composition.section
r	ConceptMap	DomainResource
-url	?	uri	s
-identifier	?	Identifier	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-copyright	?	markdown
-source	?	uri,canonical:ValueSet	xs
-target	?	uri,canonical:ValueSet	xs
-group	*	ConceptMap.group
n	ConceptMap.group	BackboneElement
-source	?	uri
-sourceVersion	?	string
-target	?	uri
-targetVersion	?	string
-element	+	ConceptMap.group.element
-unmapped	?	ConceptMap.group.unmapped
n	ConceptMap.group.element	BackboneElement
-code	?	code
-display	?	string
-target	*	ConceptMap.group.element.target
n	ConceptMap.group.element.target	BackboneElement
-code	?	code
-display	?	string
-equivalence	1	code	m	concept-map-equivalence
-comment	?	string
-dependsOn	*	ConceptMap.group.element.target.dependsOn
-product	*	ConceptMap.group.element.target.dependsOn
n	ConceptMap.group.element.target.dependsOn	BackboneElement
-property	1	uri
-system	?	canonical:CodeSystem
-value	1	string
-display	?	string
n	ConceptMap.group.unmapped	BackboneElement
-mode	1	code		conceptmap-unmapped-mode
-code	?	code
-display	?	string
-url	?	canonical:ConceptMap
r	Condition	DomainResource
-identifier	*	Identifier	s
-clinicalStatus	?	CodeableConcept	sm
-verificationStatus	?	CodeableConcept	sm
-category	*	CodeableConcept
-severity	?	CodeableConcept
-code	?	CodeableConcept	s
-bodySite	*	CodeableConcept	s
-subject	1	Reference:Patient:Group	s
-encounter	?	Reference:Encounter	s
-onset	?	dateTime,Age,Period,Range,string	xs
-abatement	?	dateTime,Age,Period,Range,string	x
-recordedDate	?	dateTime	s
-recorder	?	Reference:Practitioner:PractitionerRole:Patient:RelatedPerson	s
-asserter	?	Reference:Practitioner:PractitionerRole:Patient:RelatedPerson	s
-stage	*	Condition.stage
-evidence	*	Condition.evidence
-note	*	Annotation
n	Condition.stage	BackboneElement
-summary	?	CodeableConcept
-assessment	*	Reference:ClinicalImpression:DiagnosticReport:Observation
-type	?	CodeableConcept
n	Condition.evidence	BackboneElement
-code	*	CodeableConcept	s
-detail	*	Reference	s
r	Consent	DomainResource
-identifier	*	Identifier	s
-status	1	code	sm	consent-state-codes
-scope	1	CodeableConcept	sm
-category	+	CodeableConcept	s
-patient	?	Reference:Patient	s
-dateTime	?	dateTime	s
-performer	*	Reference:Organization:Patient:Practitioner:RelatedPerson:PractitionerRole	s
-organization	*	Reference:Organization	s
-source	?	Attachment,Reference:Consent:DocumentReference:Contract:QuestionnaireResponse	xs
-policy	*	Consent.policy
-policyRule	?	CodeableConcept	s
-verification	*	Consent.verification	s
-provision	?	Consent.provision	s
n	Consent.policy	BackboneElement
-authority	?	uri
-uri	?	uri
n	Consent.verification	BackboneElement
-verified	1	boolean	s
-verifiedWith	?	Reference:Patient:RelatedPerson
-verificationDate	?	dateTime
n	Consent.provision	BackboneElement
-type	?	code	s	consent-provision-type
-period	?	Period	s
-actor	*	Consent.provision.actor
-action	*	CodeableConcept	s
-securityLabel	*	Coding	s
-purpose	*	Coding	s
-class	*	Coding	s
-code	*	CodeableConcept	s
-dataPeriod	?	Period	s
-data	*	Consent.provision.data	s
-provision	*	Consent.provision
n	Consent.provision.actor	BackboneElement
-role	1	CodeableConcept
-reference	1	Reference:Device:Group:CareTeam:Organization:Patient:Practitioner:RelatedPerson:PractitionerRole
n	Consent.provision.data	BackboneElement
-meaning	1	code	s	consent-data-meaning
-reference	1	Reference	s
t	ContactDetail	Element
-name	?	string	s
-telecom	*	ContactPoint	s
t	ContactPoint	Element
-system	?	code	s	contact-point-system
-value	?	string	s
-use	?	code	sm	contact-point-use
-rank	?	positiveInt	s
-period	?	Period	s
r	Contract	DomainResource
-identifier	*	Identifier	s
-url	?	uri
-version	?	string	s
-status	?	code	sm	contract-status
-legalState	?	CodeableConcept
-instantiatesCanonical	?	Reference:Contract
-instantiatesUri	?	uri
-contentDerivative	?	CodeableConcept
-issued	?	dateTime	s
-applies	?	Period	s
-expirationType	?	CodeableConcept
-subject	*	Reference	s
-authority	*	Reference:Organization
-domain	*	Reference:Location
-site	*	Reference:Location
-name	?	string	s
-title	?	string	s
-subtitle	?	string
-alias	*	string
-author	?	Reference:Patient:Practitioner:PractitionerRole:Organization
-scope	?	CodeableConcept
-topic	?	CodeableConcept,Reference	x
-type	?	CodeableConcept	s
-subType	*	CodeableConcept	s
-contentDefinition	?	Contract.contentDefinition
-term	*	Contract.term
-supportingInfo	*	Reference
-relevantHistory	*	Reference:Provenance
-signer	*	Contract.signer
-friendly	*	Contract.friendly
-legal	*	Contract.legal
-rule	*	Contract.rule
-legallyBinding	?	Attachment,Reference:Composition:DocumentReference:QuestionnaireResponse:Contract	x
n	Contract.contentDefinition	BackboneElement
-type	1	CodeableConcept
-subType	?	CodeableConcept
-publisher	?	Reference:Practitioner:PractitionerRole:Organization
-publicationDate	?	dateTime
-publicationStatus	1	code		contract-publicationstatus
-copyright	?	markdown
n	Contract.term	BackboneElement
-identifier	?	Identifier	s
-issued	?	dateTime	s
-applies	?	Period	s
-topic	?	CodeableConcept,Reference	x
-type	?	CodeableConcept
-subType	?	CodeableConcept
-text	?	string	s
-securityLabel	*	Contract.term.securityLabel
-offer	1	Contract.term.offer
-asset	*	Contract.term.asset
-action	*	Contract.term.action
-group	*	Contract.term
n	Contract.term.securityLabel	BackboneElement
-number	*	unsignedInt
-classification	1	Coding
-category	*	Coding
-control	*	Coding
n	Contract.term.offer	BackboneElement
-identifier	*	Identifier
-party	*	Contract.term.offer.party
-topic	?	Reference	s
-type	?	CodeableConcept
-decision	?	CodeableConcept
-decisionMode	*	CodeableConcept
-answer	*	Contract.term.offer.answer
-text	?	string
-linkId	*	string
-securityLabelNumber	*	unsignedInt
n	Contract.term.offer.party	BackboneElement
-reference	+	Reference:Patient:RelatedPerson:Practitioner:PractitionerRole:Device:Group:Organization
-role	1	CodeableConcept
n	Contract.term.offer.answer	BackboneElement
-value	1	boolean,decimal,integer,date,dateTime,time,string,uri,Attachment,Coding,Quantity,Reference	x
n	Contract.term.asset	BackboneElement
-scope	?	CodeableConcept
-type	*	CodeableConcept
-typeReference	*	Reference
-subtype	*	CodeableConcept
-relationship	?	Coding
-context	*	Contract.term.asset.context
-condition	?	string
-periodType	*	CodeableConcept
-period	*	Period
-usePeriod	*	Period
-text	?	string
-linkId	*	string
-answer	*	Contract.term.offer.answer
-securityLabelNumber	*	unsignedInt
-valuedItem	*	Contract.term.asset.valuedItem
n	Contract.term.asset.context	BackboneElement
-reference	?	Reference
-code	*	CodeableConcept
-text	?	string
n	Contract.term.asset.valuedItem	BackboneElement
-entity	?	CodeableConcept,Reference	x
-identifier	?	Identifier
-effectiveTime	?	dateTime
-quantity	?	Quantity
-unitPrice	?	Money
-factor	?	decimal
-points	?	decimal
-net	?	Money
-payment	?	string
-paymentDate	?	dateTime
-responsible	?	Reference:Organization:Patient:Practitioner:PractitionerRole:RelatedPerson
-recipient	?	Reference:Organization:Patient:Practitioner:PractitionerRole:RelatedPerson
-linkId	*	string
-securityLabelNumber	*	unsignedInt
n	Contract.term.action	BackboneElement
-doNotPerform	?	boolean	m
-type	1	CodeableConcept
-subject	*	Contract.term.action.subject
-intent	1	CodeableConcept
-linkId	*	string
-status	1	CodeableConcept
-context	?	Reference:Encounter:EpisodeOfCare
-contextLinkId	*	string
-occurrence	?	dateTime,Period,Timing	x
-requester	*	Reference:Patient:RelatedPerson:Practitioner:PractitionerRole:Device:Group:Organization
-requesterLinkId	*	string
-performerType	*	CodeableConcept
-performerRole	?	CodeableConcept
-performer	?	Reference:RelatedPerson:Patient:Practitioner:PractitionerRole:CareTeam:Device:Substance:Organization:Location
-performerLinkId	*	string
-reasonCode	*	CodeableConcept
-reasonReference	*	Reference:Condition:Observation:DiagnosticReport:DocumentReference:Questionnaire:QuestionnaireResponse
-reason	*	string
-reasonLinkId	*	string
-note	*	Annotation
-securityLabelNumber	*	unsignedInt
n	Contract.term.action.subject	BackboneElement
-reference	+	Reference:Patient:RelatedPerson:Practitioner:PractitionerRole:Device:Group:Organization
-role	?	CodeableConcept
n	Contract.signer	BackboneElement
-type	1	Coding
-party	1	Reference:Organization:Patient:Practitioner:PractitionerRole:RelatedPerson
-signature	+	Signature
n	Contract.friendly	BackboneElement
-content	1	Attachment,Reference:Composition:DocumentReference:QuestionnaireResponse	x
n	Contract.legal	BackboneElement
-content	1	Attachment,Reference:Composition:DocumentReference:QuestionnaireResponse	x
n	Contract.rule	BackboneElement
-content	1	Attachment,Reference:DocumentReference	x
t	Contributor	Element
-type	1	code	s	contributor-type
-name	1	string	s
-contact	*	ContactDetail	s
t	Count	Quantity
r	Coverage	DomainResource
-identifier	*	Identifier	s
-status	1	code	sm	fm-status
-type	?	CodeableConcept	s
-policyHolder	?	Reference:Patient:RelatedPerson:Organization	s
-subscriber	?	Reference:Patient:RelatedPerson	s
-subscriberId	?	string	s
-beneficiary	1	Reference:Patient	s
-dependent	?	string	s
-relationship	?	CodeableConcept
-period	?	Period	s
-payor	+	Reference:Organization:Patient:RelatedPerson	s
-class	*	Coverage.class
-order	?	positiveInt	s
-network	?	string	s
-costToBeneficiary	*	Coverage.costToBeneficiary
-subrogation	?	boolean
-contract	*	Reference:Contract
n	Coverage.class	BackboneElement
-type	1	CodeableConcept	s
-value	1	string	s
-name	?	string	s
n	Coverage.costToBeneficiary	BackboneElement
-type	?	CodeableConcept	s
-value	1	Quantity,Money	xs
-exception	*	Coverage.costToBeneficiary.exception
n	Coverage.costToBeneficiary.exception	BackboneElement
-type	1	CodeableConcept	s
-period	?	Period	s
r	CoverageEligibilityRequest	DomainResource
-identifier	*	Identifier
-status	1	code	sm	fm-status
-priority	?	CodeableConcept
-purpose	+	code	s	eligibilityrequest-purpose
-patient	1	Reference:Patient	s
-serviced	?	date,Period	x
-created	1	dateTime	s
-enterer	?	Reference:Practitioner:PractitionerRole
-provider	?	Reference:Practitioner:PractitionerRole:Organization
-insurer	1	Reference:Organization	s
-facility	?	Reference:Location
-supportingInfo	*	CoverageEligibilityRequest.supportingInfo
-insurance	*	CoverageEligibilityRequest.insurance
-item	*	CoverageEligibilityRequest.item
n	CoverageEligibilityRequest.supportingInfo	BackboneElement
-sequence	1	positiveInt
-information	1	Reference
-appliesToAll	?	boolean
n	CoverageEligibilityRequest.insurance	BackboneElement
-focal	?	boolean
-coverage	1	Reference:Coverage
-businessArrangement	?	string
n	CoverageEligibilityRequest.item	BackboneElement
-supportingInfoSequence	*	positiveInt
-category	?	CodeableConcept
-productOrService	?	CodeableConcept
-modifier	*	CodeableConcept
-provider	?	Reference:Practitioner:PractitionerRole
-quantity	?	Quantity
-unitPrice	?	Money
-facility	?	Reference:Location:Organization
-diagnosis	*	CoverageEligibilityRequest.item.diagnosis
-detail	*	Reference
n	CoverageEligibilityRequest.item.diagnosis	BackboneElement
-diagnosis	?	CodeableConcept,Reference:Condition	x
r	CoverageEligibilityResponse	DomainResource
-identifier	*	Identifier
-status	1	code	sm	fm-status
-purpose	+	code	s	eligibilityresponse-purpose
-patient	1	Reference:Patient	s
-serviced	?	date,Period	x
-created	1	dateTime	s
-requestor	?	Reference:Practitioner:PractitionerRole:Organization
-request	1	Reference:CoverageEligibilityRequest	s
-outcome	1	code	s	remittance-outcome
-disposition	?	string
-insurer	1	Reference:Organization	s
-insurance	*	CoverageEligibilityResponse.insurance
-preAuthRef	?	string
-form	?	CodeableConcept
-error	*	CoverageEligibilityResponse.error
n	CoverageEligibilityResponse.insurance	BackboneElement
-coverage	1	Reference:Coverage	s
-inforce	?	boolean
-benefitPeriod	?	Period
-item	*	CoverageEligibilityResponse.insurance.item
n	CoverageEligibilityResponse.insurance.item	BackboneElement
-category	?	CodeableConcept
-productOrService	?	CodeableConcept
-modifier	*	CodeableConcept
-provider	?	Reference:Practitioner:PractitionerRole
-excluded	?	boolean
-name	?	string
-description	?	string
-network	?	CodeableConcept
-unit	?	CodeableConcept
-term	?	CodeableConcept
-benefit	*	CoverageEligibilityResponse.insurance.item.benefit
-authorizationRequired	?	boolean
-authorizationSupporting	*	CodeableConcept
-authorizationUrl	?	uri
n	CoverageEligibilityResponse.insurance.item.benefit	BackboneElement
-type	1	CodeableConcept
-allowed	?	unsignedInt,string,Money	x
-used	?	unsignedInt,string,Money	x
n	CoverageEligibilityResponse.error	BackboneElement
-code	1	CodeableConcept
t	DataRequirement	Element
-type	1	code	s	all-types
-profile	*	canonical:StructureDefinition	s
-subject	?	CodeableConcept,Reference:Group	xs
-mustSupport	*	string	s
-codeFilter	*	DataRequirement.codeFilter	s
-dateFilter	*	DataRequirement.dateFilter	s
-limit	?	positiveInt	s
-sort	*	DataRequirement.sort	s
n	DataRequirement.codeFilter	Element
-path	?	string	s
-searchParam	?	string	s
-valueSet	?	canonical:ValueSet	s
-code	*	Coding	s
n	DataRequirement.dateFilter	Element
-path	?	string	s
-searchParam	?	string	s
-value	?	dateTime,Period,Duration	xs
n	DataRequirement.sort	Element
-path	1	string	s
-direction	1	code	s	sort-direction
r	DetectedIssue	DomainResource
-identifier	*	Identifier	s
-status	1	code	sm	observation-status
-code	?	CodeableConcept	s
-severity	?	code	s	detectedissue-severity
-patient	?	Reference:Patient	s
-identified	?	dateTime,Period	xs
-author	?	Reference:Practitioner:PractitionerRole:Device	s
-implicated	*	Reference	s
-evidence	*	DetectedIssue.evidence
-detail	?	string
-reference	?	uri
-mitigation	*	DetectedIssue.mitigation
n	DetectedIssue.evidence	BackboneElement
-code	*	CodeableConcept
-detail	*	Reference
n	DetectedIssue.mitigation	BackboneElement
-action	1	CodeableConcept
-date	?	dateTime
-author	?	Reference:Practitioner:PractitionerRole
r	Device	DomainResource
-identifier	*	Identifier
-definition	?	Reference:DeviceDefinition
-udiCarrier	*	Device.udiCarrier	s
-status	?	code	sm	device-status
-statusReason	*	CodeableConcept
-distinctIdentifier	?	string
-manufacturer	?	string
-manufactureDate	?	dateTime
-expirationDate	?	dateTime
-lotNumber	?	string
-serialNumber	?	string
-deviceName	*	Device.deviceName
-modelNumber	?	string
-partNumber	?	string
-type	?	CodeableConcept
-specialization	*	Device.specialization
-version	*	Device.version
-property	*	Device.property
-patient	?	Reference:Patient
-owner	?	Reference:Organization
-contact	*	ContactPoint
-location	?	Reference:Location
-url	?	uri
-note	*	Annotation
-safety	*	CodeableConcept	s
-parent	?	Reference:Device
n	Device.udiCarrier	BackboneElement
-deviceIdentifier	?	string	s
-issuer	?	uri
-jurisdiction	?	uri
-carrierAIDC	?	base64Binary	s
-carrierHRF	?	string	s
-entryType	?	code		udi-entry-type
n	Device.deviceName	BackboneElement
-name	1	string
-type	1	code		device-nametype
n	Device.specialization	BackboneElement
-systemType	1	CodeableConcept
-version	?	string
n	Device.version	BackboneElement
-type	?	CodeableConcept
-component	?	Identifier
-value	1	string
n	Device.property	BackboneElement
-type	1	CodeableConcept
-valueQuantity	*	Quantity
-valueCode	*	CodeableConcept
r	DeviceDefinition	DomainResource
-identifier	*	Identifier
-udiDeviceIdentifier	*	DeviceDefinition.udiDeviceIdentifier
-manufacturer	?	string,Reference:Organization	x
-deviceName	*	DeviceDefinition.deviceName
-modelNumber	?	string
-type	?	CodeableConcept
-specialization	*	DeviceDefinition.specialization
-version	*	string
-safety	*	CodeableConcept	s
-shelfLifeStorage	*	ProductShelfLife
-physicalCharacteristics	?	ProdCharacteristic
-languageCode	*	CodeableConcept
-capability	*	DeviceDefinition.capability
-property	*	DeviceDefinition.property
-owner	?	Reference:Organization
-contact	*	ContactPoint
-url	?	uri
-onlineInformation	?	uri
-note	*	Annotation
-quantity	?	Quantity
-parentDevice	?	Reference:DeviceDefinition	s
-material	*	DeviceDefinition.material
n	DeviceDefinition.udiDeviceIdentifier	BackboneElement
-deviceIdentifier	1	string
-issuer	1	uri
-jurisdiction	1	uri
n	DeviceDefinition.deviceName	BackboneElement
-name	1	string
-type	1	code		device-nametype
n	DeviceDefinition.specialization	BackboneElement
-systemType	1	string
-version	?	string
n	DeviceDefinition.capability	BackboneElement
-type	1	CodeableConcept
-description	*	CodeableConcept
n	DeviceDefinition.property	BackboneElement
-type	1	CodeableConcept
-valueQuantity	*	Quantity
-valueCode	*	CodeableConcept
n	DeviceDefinition.material	BackboneElement
-substance	1	CodeableConcept
-alternate	?	boolean
-allergenicIndicator	?	boolean
r	DeviceMetric	DomainResource
-identifier	*	Identifier	s
-type	1	CodeableConcept	s
-unit	?	CodeableConcept	s
-source	?	Reference:Device	s
-parent	?	Reference:Device	s
-operationalStatus	?	code	s	metric-operational-status
-color	?	code	s	metric-color
-category	1	code	s	metric-category
-measurementPeriod	?	Timing	s
-calibration	*	DeviceMetric.calibration	s
n	DeviceMetric.calibration	BackboneElement
-type	?	code	s	metric-calibration-type
-state	?	code	s	metric-calibration-state
-time	?	instant	s
r	DeviceRequest	DomainResource
-identifier	*	Identifier	s
-instantiatesCanonical	*	canonical:ActivityDefinition:PlanDefinition	s
-instantiatesUri	*	uri	s
-basedOn	*	Reference	s
-priorRequest	*	Reference	s
-groupIdentifier	?	Identifier	s
-status	?	code	sm	request-status
-intent	1	code	sm	request-intent
-priority	?	code	s	request-priority
-code	1	Reference:Device,CodeableConcept	xs
-parameter	*	DeviceRequest.parameter
-subject	1	Reference:Patient:Group:Location:Device	s
-encounter	?	Reference:Encounter	s
-occurrence	?	dateTime,Period,Timing	xs
-authoredOn	?	dateTime	s
-requester	?	Reference:Device:Practitioner:PractitionerRole:Organization	s
-performerType	?	CodeableConcept	s
-performer	?	Reference:Practitioner:PractitionerRole:Organization:CareTeam:HealthcareService:Patient:Device:RelatedPerson	s
-reasonCode	*	CodeableConcept	s
-reasonReference	*	Reference:Condition:Observation:DiagnosticReport:DocumentReference	s
-insurance	*	Reference:Coverage:ClaimResponse
-supportingInfo	*	Reference
-note	*	Annotation
-relevantHistory	*	Reference:Provenance
n	DeviceRequest.parameter	BackboneElement
-code	?	CodeableConcept
-value	?	CodeableConcept,Quantity,Range,boolean	x
r	DeviceUseStatement	DomainResource
-identifier	*	Identifier	s
-basedOn	*	Reference:ServiceRequest	s
-status	1	code	sm	device-statement-status
-subject	1	Reference:Patient:Group	s
-derivedFrom	*	Reference:ServiceRequest:Procedure:Claim:Observation:QuestionnaireResponse:DocumentReference	s
-timing	?	Timing,Period,dateTime	xs
-recordedOn	?	dateTime	s
-source	?	Reference:Patient:Practitioner:PractitionerRole:RelatedPerson	s
-device	1	Reference:Device	s
-reasonCode	*	CodeableConcept	s
-reasonReference	*	Reference:Condition:Observation:DiagnosticReport:DocumentReference:Media	s
-bodySite	?	CodeableConcept	s
-note	*	Annotation
r	DiagnosticReport	DomainResource
-identifier	*	Identifier	s
-basedOn	*	Reference:CarePlan:ImmunizationRecommendation:MedicationRequest:NutritionOrder:ServiceRequest
-status	1	code	sm	diagnostic-report-status
-category	*	CodeableConcept	s
-code	1	CodeableConcept	s
-subject	?	Reference:Patient:Group:Device:Location	s
-encounter	?	Reference:Encounter	s
-effective	?	dateTime,Period	xs
-issued	?	instant	s
-performer	*	Reference:Practitioner:PractitionerRole:Organization:CareTeam	s
-resultsInterpreter	*	Reference:Practitioner:PractitionerRole:Organization:CareTeam	s
-specimen	*	Reference:Specimen
-result	*	Reference:Observation
-imagingStudy	*	Reference:ImagingStudy
-media	*	DiagnosticReport.media	s
-conclusion	?	string
-conclusionCode	*	CodeableConcept
-presentedForm	*	Attachment
n	DiagnosticReport.media	BackboneElement
-comment	?	string
-link	1	Reference:Media	s
t	Distance	Quantity
r	DocumentManifest	DomainResource
-masterIdentifier	?	Identifier	s
-identifier	*	Identifier	s
-status	1	code	sm	document-reference-status
-type	?	CodeableConcept	s
-subject	?	Reference:Patient:Practitioner:Group:Device	s
-created	?	dateTime
-author	*	Reference:Practitioner:PractitionerRole:Organization:Device:Patient:RelatedPerson	s
-recipient	*	Reference:Patient:Practitioner:PractitionerRole:RelatedPerson:Organization
-source	?	uri
-description	?	string	s
-content	+	Reference	s
-related	*	DocumentManifest.related
n	DocumentManifest.related	BackboneElement
-identifier	?	Identifier
-ref	?	Reference
r	DocumentReference	DomainResource
-masterIdentifier	?	Identifier	s
-identifier	*	Identifier	s
-status	1	code	sm	document-reference-status
-docStatus	?	code	s	composition-status
-type	?	CodeableConcept	s
-category	*	CodeableConcept	s
-subject	?	Reference:Patient:Practitioner:Group:Device	s
-date	?	instant	s
-author	*	Reference:Practitioner:PractitionerRole:Organization:Device:Patient:RelatedPerson	s
-authenticator	?	Reference:Practitioner:PractitionerRole:Organization
-custodian	?	Reference:Organization
-relatesTo	*	DocumentReference.relatesTo	s
-description	?	string	s
-securityLabel	*	CodeableConcept	s
-content	+	DocumentReference.content	s
-context	?	DocumentReference.context	s
n	DocumentReference.relatesTo	BackboneElement
-code	1	code	s	document-relationship-type
-target	1	Reference:DocumentReference	s
n	DocumentReference.content	BackboneElement
-attachment	1	Attachment	s
-format	?	Coding	s
n	DocumentReference.context	BackboneElement
-encounter	*	Reference:Encounter:EpisodeOfCare
-event	*	CodeableConcept
-period	?	Period	s
-facilityType	?	CodeableConcept
-practiceSetting	?	CodeableConcept
-sourcePatientInfo	?	Reference:Patient
-related	*	Reference
a	DomainResource	Resource
-text	?	Narrative
-contained	*	Resource
-extension	*	Extension
-modifierExtension	*	Extension	m
t	Dosage	BackboneElement
-sequence	?	integer	s
-text	?	string	s
-additionalInstruction	*	CodeableConcept	s
-patientInstruction	?	string	s
-timing	?	Timing	s
-asNeeded	?	boolean,CodeableConcept	xs
-site	?	CodeableConcept	s
-route	?	CodeableConcept	s
-method	?	CodeableConcept	s
-doseAndRate	*	Dosage.doseAndRate	s
-maxDosePerPeriod	?	Ratio	s
-maxDosePerAdministration	?	Quantity	s
-maxDosePerLifetime	?	Quantity	s
n	Dosage.doseAndRate	Element
-type	?	CodeableConcept	s
-dose	?	Range,Quantity	xs
-rate	?	Ratio,Range,Quantity	xs
t	Duration	Quantity
r	EffectEvidenceSynthesis	DomainResource
-url	?	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-status	1	code	sm	publication-status
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown	s
-note	*	Annotation
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-copyright	?	markdown
-approvalDate	?	date
-lastReviewDate	?	date
-effectivePeriod	?	Period	s
-topic	*	CodeableConcept
-author	*	ContactDetail
-editor	*	ContactDetail
-reviewer	*	ContactDetail
-endorser	*	ContactDetail
-relatedArtifact	*	RelatedArtifact
-synthesisType	?	CodeableConcept
-studyType	?	CodeableConcept
-population	1	Reference:EvidenceVariable	s
-exposure	1	Reference:EvidenceVariable	s
-exposureAlternative	1	Reference:EvidenceVariable	s
-outcome	1	Reference:EvidenceVariable	s
-sampleSize	?	EffectEvidenceSynthesis.sampleSize
-resultsByExposure	*	EffectEvidenceSynthesis.resultsByExposure
-effectEstimate	*	EffectEvidenceSynthesis.effectEstimate	s
-certainty	*	EffectEvidenceSynthesis.certainty
n	EffectEvidenceSynthesis.sampleSize	BackboneElement
-description	?	string
-numberOfStudies	?	integer
-numberOfParticipants	?	integer
n	EffectEvidenceSynthesis.resultsByExposure	BackboneElement
-description	?	string
-exposureState	?	code		exposure-state
-variantState	?	CodeableConcept
-riskEvidenceSynthesis	1	Reference:RiskEvidenceSynthesis
n	EffectEvidenceSynthesis.effectEstimate	BackboneElement
-description	?	string
-type	?	CodeableConcept
-variantState	?	CodeableConcept
-value	?	decimal
-unitOfMeasure	?	CodeableConcept
-precisionEstimate	*	EffectEvidenceSynthesis.effectEstimate.precisionEstimate
n	EffectEvidenceSynthesis.effectEstimate.precisionEstimate	BackboneElement
-type	?	CodeableConcept
-level	?	decimal
-from	?	decimal
-to	?	decimal
n	EffectEvidenceSynthesis.certainty	BackboneElement
-rating	*	CodeableConcept
-note	*	Annotation
-certaintySubcomponent	*	EffectEvidenceSynthesis.certainty.certaintySubcomponent
n	EffectEvidenceSynthesis.certainty.certaintySubcomponent	BackboneElement
-type	?	CodeableConcept
-rating	*	CodeableConcept
-note	*	Annotation
t	Element	
-id	?	string
-extension	*	Extension
t	ElementDefinition	BackboneElement
-path	1	string	s
-representation	*	code	s	property-representation
-sliceName	?	string	s
-sliceIsConstraining	?	boolean	s
-label	?	string	s
-code	*	Coding	s
-slicing	?	ElementDefinition.slicing	s
-short	?	string	s
-definition	?	markdown	s
-comment	?	markdown	s
-requirements	?	markdown	s
-alias	*	string	s
-min	?	unsignedInt	s
-max	?	string	s
-base	?	ElementDefinition.base	s
-contentReference	?	uri	s
-type	*	ElementDefinition.type	s
-defaultValue	?	*	xs
-meaningWhenMissing	?	markdown	s
-orderMeaning	?	string	s
-fixed	?	*	xs
-pattern	?	*	xs
-example	*	ElementDefinition.example	s
-minValue	?	date,dateTime,instant,time,decimal,integer,positiveInt,unsignedInt,Quantity	xs
-maxValue	?	date,dateTime,instant,time,decimal,integer,positiveInt,unsignedInt,Quantity	xs
-maxLength	?	integer	s
-condition	*	id	s
-constraint	*	ElementDefinition.constraint	s
-mustSupport	?	boolean	s
-isModifier	?	boolean	s
-isModifierReason	?	string	s
-isSummary	?	boolean	s
-binding	?	ElementDefinition.binding	s
-mapping	*	ElementDefinition.mapping	s
n	ElementDefinition.slicing	Element
-discriminator	*	ElementDefinition.slicing.discriminator	s
-description	?	string	s
-ordered	?	boolean	s
-rules	1	code	s	resource-slicing-rules
n	ElementDefinition.slicing.discriminator	Element
-type	1	code	s	discriminator-type
-path	1	string	s
n	ElementDefinition.base	Element
-path	1	string	s
-min	1	unsignedInt	s
-max	1	string	s
n	ElementDefinition.type	Element
-code	1	uri	s
-profile	*	canonical:StructureDefinition:ImplementationGuide	s
-targetProfile	*	canonical:StructureDefinition:ImplementationGuide	s
-aggregation	*	code	s	resource-aggregation-mode
-versioning	?	code	s	reference-version-rules
n	ElementDefinition.example	Element
-label	1	string	s
-value	1	*	xs
n	ElementDefinition.constraint	Element
-key	1	id	s
-requirements	?	string	s
-severity	1	code	s	constraint-severity
-human	1	string	s
-expression	?	string	s
-xpath	?	string	s
-source	?	canonical:StructureDefinition	s
n	ElementDefinition.binding	Element
-strength	1	code	s	binding-strength
-description	?	string	s
-valueSet	?	canonical:ValueSet	s
n	ElementDefinition.mapping	Element
-identity	1	id	s
-language	?	code	s		mimetypes
-map	1	string	s
-comment	?	string	s
r	Encounter	DomainResource
-identifier	*	Identifier	s
-status	1	code	sm	encounter-status
-statusHistory	*	Encounter.statusHistory
-class	1	Coding	s
-classHistory	*	Encounter.classHistory
-type	*	CodeableConcept	s
-serviceType	?	CodeableConcept	s
-priority	?	CodeableConcept
-subject	?	Reference:Patient:Group	s
-episodeOfCare	*	Reference:EpisodeOfCare	s
-basedOn	*	Reference:ServiceRequest
-participant	*	Encounter.participant	s
-appointment	*	Reference:Appointment	s
-period	?	Period
-length	?	Duration
-reasonCode	*	CodeableConcept	s
-reasonReference	*	Reference:Condition:Procedure:Observation:ImmunizationRecommendation	s
-diagnosis	*	Encounter.diagnosis	s
-account	*	Reference:Account
-hospitalization	?	Encounter.hospitalization
-location	*	Encounter.location
-serviceProvider	?	Reference:Organization
-partOf	?	Reference:Encounter
n	Encounter.statusHistory	BackboneElement
-status	1	code		encounter-status
-period	1	Period
n	Encounter.classHistory	BackboneElement
-class	1	Coding
-period	1	Period
n	Encounter.participant	BackboneElement
-type	*	CodeableConcept	s
-period	?	Period
-individual	?	Reference:Practitioner:PractitionerRole:RelatedPerson	s
n	Encounter.diagnosis	BackboneElement
-condition	1	Reference:Condition:Procedure	s
-use	?	CodeableConcept
-rank	?	positiveInt
n	Encounter.hospitalization	BackboneElement
-preAdmissionIdentifier	?	Identifier
-origin	?	Reference:Location:Organization
-admitSource	?	CodeableConcept
-reAdmission	?	CodeableConcept
-dietPreference	*	CodeableConcept
-specialCourtesy	*	CodeableConcept
-specialArrangement	*	CodeableConcept
-destination	?	Reference:Location:Organization
-dischargeDisposition	?	CodeableConcept
n	Encounter.location	BackboneElement
-location	1	Reference:Location
-status	?	code		encounter-location-status
-physicalType	?	CodeableConcept
-period	?	Period
r	Endpoint	DomainResource
-identifier	*	Identifier	s
-status	1	code	sm	endpoint-status
-connectionType	1	Coding	s
-name	?	string	s
-managingOrganization	?	Reference:Organization	s
-contact	*	ContactPoint
-period	?	Period	s
-payloadType	+	CodeableConcept	s
-payloadMimeType	*	code	s		mimetypes
-address	1	url	s
-header	*	string
r	EnrollmentRequest	DomainResource
-identifier	*	Identifier
-status	?	code	sm	fm-status
-created	?	dateTime
-insurer	?	Reference:Organization
-provider	?	Reference:Practitioner:PractitionerRole:Organization
-candidate	?	Reference:Patient
-coverage	?	Reference:Coverage
r	EnrollmentResponse	DomainResource
-identifier	*	Identifier
-status	?	code	sm	fm-status
-request	?	Reference:EnrollmentRequest
-outcome	?	code		remittance-outcome
-disposition	?	string
-created	?	dateTime
-organization	?	Reference:Organization
-requestProvider	?	Reference:Practitioner:PractitionerRole:Organization
r	EpisodeOfCare	DomainResource
-identifier	*	Identifier
-status	1	code	sm	episode-of-care-status
-statusHistory	*	EpisodeOfCare.statusHistory
-type	*	CodeableConcept	s
-diagnosis	*	EpisodeOfCare.diagnosis	s
-patient	1	Reference:Patient	s
-managingOrganization	?	Reference:Organization	s
-period	?	Period	s
-referralRequest	*	Reference:ServiceRequest
-careManager	?	Reference:Practitioner:PractitionerRole
-team	*	Reference:CareTeam
-account	*	Reference:Account
n	EpisodeOfCare.statusHistory	BackboneElement
-status	1	code		episode-of-care-status
-period	1	Period
n	EpisodeOfCare.diagnosis	BackboneElement
-condition	1	Reference:Condition	s
-role	?	CodeableConcept	s
-rank	?	positiveInt	s
r	EventDefinition	DomainResource
-url	?	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-subtitle	?	string
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-subject	?	CodeableConcept,Reference:Group	x
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-usage	?	string
-copyright	?	markdown
-approvalDate	?	date	s
-lastReviewDate	?	date	s
-effectivePeriod	?	Period	s
-topic	*	CodeableConcept
-author	*	ContactDetail
-editor	*	ContactDetail
-reviewer	*	ContactDetail
-endorser	*	ContactDetail
-relatedArtifact	*	RelatedArtifact
-trigger	+	TriggerDefinition	s
r	Evidence	DomainResource
-url	?	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-shortTitle	?	string
-subtitle	?	string
-status	1	code	sm	publication-status
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown	s
-note	*	Annotation
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-copyright	?	markdown
-approvalDate	?	date
-lastReviewDate	?	date
-effectivePeriod	?	Period	s
-topic	*	CodeableConcept
-author	*	ContactDetail
-editor	*	ContactDetail
-reviewer	*	ContactDetail
-endorser	*	ContactDetail
-relatedArtifact	*	RelatedArtifact
-exposureBackground	1	Reference:EvidenceVariable	s
-exposureVariant	*	Reference:EvidenceVariable	s
-outcome	*	Reference:EvidenceVariable	s
r	EvidenceVariable	DomainResource
-url	?	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-shortTitle	?	string	s
-subtitle	?	string
-status	1	code	sm	publication-status
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown	s
-note	*	Annotation
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-copyright	?	markdown
-approvalDate	?	date
-lastReviewDate	?	date
-effectivePeriod	?	Period	s
-topic	*	CodeableConcept
-author	*	ContactDetail
-editor	*	ContactDetail
-reviewer	*	ContactDetail
-endorser	*	ContactDetail
-relatedArtifact	*	RelatedArtifact
-type	?	code	s	variable-type
-characteristic	+	EvidenceVariable.characteristic	s
n	EvidenceVariable.characteristic	BackboneElement
-description	?	string
-definition	1	Reference:Group,canonical:ActivityDefinition,CodeableConcept,Expression,DataRequirement,TriggerDefinition	xs
-usageContext	*	UsageContext
-exclude	?	boolean
-participantEffective	?	dateTime,Period,Duration,Timing	x
-timeFromStart	?	Duration
-groupMeasure	?	code		group-measure
r	ExampleScenario	DomainResource
-url	?	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	?	string	s
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-copyright	?	markdown
-purpose	?	markdown
-actor	*	ExampleScenario.actor
-instance	*	ExampleScenario.instance
-process	*	ExampleScenario.process
-workflow	*	canonical:ExampleScenario
n	ExampleScenario.actor	BackboneElement
-actorId	1	string
-type	1	code		examplescenario-actor-type
-name	?	string
-description	?	markdown
n	ExampleScenario.instance	BackboneElement
-resourceId	1	string
-resourceType	1	code		resource-types
-name	?	string
-description	?	markdown
-version	*	ExampleScenario.instance.version
-containedInstance	*	ExampleScenario.instance.containedInstance
n	ExampleScenario.instance.version	BackboneElement
-versionId	1	string
-description	1	markdown
n	ExampleScenario.instance.containedInstance	BackboneElement
-resourceId	1	string
-versionId	?	string
n	ExampleScenario.process	BackboneElement
-title	1	string	s
-description	?	markdown
-preConditions	?	markdown
-postConditions	?	markdown
-step	*	ExampleScenario.process.step
n	ExampleScenario.process.step	BackboneElement
-process	*	ExampleScenario.process
-pause	?	boolean
-operation	?	ExampleScenario.process.step.operation
-alternative	*	ExampleScenario.process.step.alternative
n	ExampleScenario.process.step.operation	BackboneElement
-number	1	string
-type	?	string
-name	?	string
-initiator	?	string
-receiver	?	string
-description	?	markdown
-initiatorActive	?	boolean
-receiverActive	?	boolean
-request	?	ExampleScenario.instance.containedInstance
-response	?	ExampleScenario.instance.containedInstance
n	ExampleScenario.process.step.alternative	BackboneElement
-title	1	string
-description	?	markdown
-step	*	ExampleScenario.process.step
r	ExplanationOfBenefit	DomainResource
-identifier	*	Identifier
-status	1	code	sm	explanationofbenefit-status
-type	1	CodeableConcept	s
-subType	?	CodeableConcept
-use	1	code	s	claim-use
-patient	1	Reference:Patient	s
-billablePeriod	?	Period	s
-created	1	dateTime	s
-enterer	?	Reference:Practitioner:PractitionerRole
-insurer	1	Reference:Organization	s
-provider	1	Reference:Practitioner:PractitionerRole:Organization	s
-priority	?	CodeableConcept
-fundsReserveRequested	?	CodeableConcept
-fundsReserve	?	CodeableConcept
-related	*	ExplanationOfBenefit.related
-prescription	?	Reference:MedicationRequest:VisionPrescription
-originalPrescription	?	Reference:MedicationRequest
-payee	?	ExplanationOfBenefit.payee
-referral	?	Reference:ServiceRequest
-facility	?	Reference:Location
-claim	?	Reference:Claim
-claimResponse	?	Reference:ClaimResponse
-outcome	1	code	s	remittance-outcome
-disposition	?	string
-preAuthRef	*	string
-preAuthRefPeriod	*	Period
-careTeam	*	ExplanationOfBenefit.careTeam
-supportingInfo	*	ExplanationOfBenefit.supportingInfo
-diagnosis	*	ExplanationOfBenefit.diagnosis
-procedure	*	ExplanationOfBenefit.procedure
-precedence	?	positiveInt
-insurance	+	ExplanationOfBenefit.insurance	s
-accident	?	ExplanationOfBenefit.accident
-item	*	ExplanationOfBenefit.item
-addItem	*	ExplanationOfBenefit.addItem
-adjudication	*	ExplanationOfBenefit.item.adjudication
-total	*	ExplanationOfBenefit.total	s
-payment	?	ExplanationOfBenefit.payment
-formCode	?	CodeableConcept
-form	?	Attachment
-processNote	*	ExplanationOfBenefit.processNote
-benefitPeriod	?	Period
-benefitBalance	*	ExplanationOfBenefit.benefitBalance
n	ExplanationOfBenefit.related	BackboneElement
-claim	?	Reference:Claim
-relationship	?	CodeableConcept
-reference	?	Identifier
n	ExplanationOfBenefit.payee	BackboneElement
-type	?	CodeableConcept
-party	?	Reference:Practitioner:PractitionerRole:Organization:Patient:RelatedPerson
n	ExplanationOfBenefit.careTeam	BackboneElement
-sequence	1	positiveInt
-provider	1	Reference:Practitioner:PractitionerRole:Organization
-responsible	?	boolean
-role	?	CodeableConcept
-qualification	?	CodeableConcept
n	ExplanationOfBenefit.supportingInfo	BackboneElement
-sequence	1	positiveInt
-category	1	CodeableConcept
-code	?	CodeableConcept
-timing	?	date,Period	x
-value	?	boolean,string,Quantity,Attachment,Reference	x
-reason	?	Coding
n	ExplanationOfBenefit.diagnosis	BackboneElement
-sequence	1	positiveInt
-diagnosis	1	CodeableConcept,Reference:Condition	x
-type	*	CodeableConcept
-onAdmission	?	CodeableConcept
-packageCode	?	CodeableConcept
n	ExplanationOfBenefit.procedure	BackboneElement
-sequence	1	positiveInt
-type	*	CodeableConcept
-date	?	dateTime
-procedure	1	CodeableConcept,Reference:Procedure	x
-udi	*	Reference:Device
n	ExplanationOfBenefit.insurance	BackboneElement
-focal	1	boolean	s
-coverage	1	Reference:Coverage	s
-preAuthRef	*	string
n	ExplanationOfBenefit.accident	BackboneElement
-date	?	date
-type	?	CodeableConcept
-location	?	Address,Reference:Location	x
n	ExplanationOfBenefit.item	BackboneElement
-sequence	1	positiveInt
-careTeamSequence	*	positiveInt
-diagnosisSequence	*	positiveInt
-procedureSequence	*	positiveInt
-informationSequence	*	positiveInt
-revenue	?	CodeableConcept
-category	?	CodeableConcept
-productOrService	1	CodeableConcept
-modifier	*	CodeableConcept
-programCode	*	CodeableConcept
-serviced	?	date,Period	x
-location	?	CodeableConcept,Address,Reference:Location	x
-quantity	?	Quantity
-unitPrice	?	Money
-factor	?	decimal
-net	?	Money
-udi	*	Reference:Device
-bodySite	?	CodeableConcept
-subSite	*	CodeableConcept
-encounter	*	Reference:Encounter
-noteNumber	*	positiveInt
-adjudication	*	ExplanationOfBenefit.item.adjudication
-detail	*	ExplanationOfBenefit.item.detail
n	ExplanationOfBenefit.item.adjudication	BackboneElement
-category	1	CodeableConcept
-reason	?	CodeableConcept
-amount	?	Money
-value	?	decimal
n	ExplanationOfBenefit.item.detail	BackboneElement
-sequence	1	positiveInt
-revenue	?	CodeableConcept
-category	?	CodeableConcept
-productOrService	1	CodeableConcept
-modifier	*	CodeableConcept
-programCode	*	CodeableConcept
-quantity	?	Quantity
-unitPrice	?	Money
-factor	?	decimal
-net	?	Money
-udi	*	Reference:Device
-noteNumber	*	positiveInt
-adjudication	*	ExplanationOfBenefit.item.adjudication
-subDetail	*	ExplanationOfBenefit.item.detail.subDetail
n	ExplanationOfBenefit.item.detail.subDetail	BackboneElement
-sequence	1	positiveInt
-revenue	?	CodeableConcept
-category	?	CodeableConcept
-productOrService	1	CodeableConcept
-modifier	*	CodeableConcept
-programCode	*	CodeableConcept
-quantity	?	Quantity
-unitPrice	?	Money
-factor	?	decimal
-net	?	Money
-udi	*	Reference:Device
-noteNumber	*	positiveInt
-adjudication	*	ExplanationOfBenefit.item.adjudication
n	ExplanationOfBenefit.addItem	BackboneElement
-itemSequence	*	positiveInt
-detailSequence	*	positiveInt
-subDetailSequence	*	positiveInt
-provider	*	Reference:Practitioner:PractitionerRole:Organization
-productOrService	1	CodeableConcept
-modifier	*	CodeableConcept
-programCode	*	CodeableConcept
-serviced	?	date,Period	x
-location	?	CodeableConcept,Address,Reference:Location	x
-quantity	?	Quantity
-unitPrice	?	Money
-factor	?	decimal
-net	?	Money
-bodySite	?	CodeableConcept
-subSite	*	CodeableConcept
-noteNumber	*	positiveInt
-adjudication	*	ExplanationOfBenefit.item.adjudication
-detail	*	ExplanationOfBenefit.addItem.detail
n	ExplanationOfBenefit.addItem.detail	BackboneElement
-productOrService	1	CodeableConcept
-modifier	*	CodeableConcept
-quantity	?	Quantity
-unitPrice	?	Money
-factor	?	decimal
-net	?	Money
-noteNumber	*	positiveInt
-adjudication	*	ExplanationOfBenefit.item.adjudication
-subDetail	*	ExplanationOfBenefit.addItem.detail.subDetail
n	ExplanationOfBenefit.addItem.detail.subDetail	BackboneElement
-productOrService	1	CodeableConcept
-modifier	*	CodeableConcept
-quantity	?	Quantity
-unitPrice	?	Money
-factor	?	decimal
-net	?	Money
-noteNumber	*	positiveInt
-adjudication	*	ExplanationOfBenefit.item.adjudication
n	ExplanationOfBenefit.total	BackboneElement
-category	1	CodeableConcept	s
-amount	1	Money	s
n	ExplanationOfBenefit.payment	BackboneElement
-type	?	CodeableConcept
-adjustment	?	Money
-adjustmentReason	?	CodeableConcept
-date	?	date
-amount	?	Money
-identifier	?	Identifier
n	ExplanationOfBenefit.processNote	BackboneElement
-number	?	positiveInt
-type	?	code		note-type
-text	?	string
-language	?	CodeableConcept
n	ExplanationOfBenefit.benefitBalance	BackboneElement
-category	1	CodeableConcept
-excluded	?	boolean
-name	?	string
-description	?	string
-network	?	CodeableConcept
-unit	?	CodeableConcept
-term	?	CodeableConcept
-financial	*	ExplanationOfBenefit.benefitBalance.financial
n	ExplanationOfBenefit.benefitBalance.financial	BackboneElement
-type	1	CodeableConcept
-allowed	?	unsignedInt,string,Money	x
-used	?	unsignedInt,Money	x
t	Expression	Element
-description	?	string	s
-name	?	id	s
-language	1	code	s		expression-language
-expression	?	string	s
-reference	?	uri	s
t	Extension	Element
-url	1	string
-value	?	*	x
r	FamilyMemberHistory	DomainResource
-identifier	*	Identifier	s
-instantiatesCanonical	*	canonical:PlanDefinition:Questionnaire:ActivityDefinition:Measure:OperationDefinition	s
-instantiatesUri	*	uri	s
-status	1	code	sm	history-status
-dataAbsentReason	?	CodeableConcept	s
-patient	1	Reference:Patient	s
-date	?	dateTime	s
-name	?	string	s
-relationship	1	CodeableConcept	s
-sex	?	CodeableConcept	s
-born	?	Period,date,string	x
-age	?	Age,Range,string	xs
-estimatedAge	?	boolean	s
-deceased	?	boolean,Age,Range,date,string	xs
-reasonCode	*	CodeableConcept	s
-reasonReference	*	Reference:Condition:Observation:AllergyIntolerance:QuestionnaireResponse:DiagnosticReport:DocumentReference	s
-note	*	Annotation
-condition	*	FamilyMemberHistory.condition
n	FamilyMemberHistory.condition	BackboneElement
-code	1	CodeableConcept
-outcome	?	CodeableConcept
-contributedToDeath	?	boolean
-onset	?	Age,Range,Period,string	x
-note	*	Annotation
r	Flag	DomainResource
-identifier	*	Identifier	s
-status	1	code	sm	flag-status
-category	*	CodeableConcept	s
-code	1	CodeableConcept	s
-subject	1	Reference:Patient:Location:Group:Organization:Practitioner:PlanDefinition:Medication:Procedure	s
-period	?	Period	s
-encounter	?	Reference:Encounter	s
-author	?	Reference:Device:Organization:Patient:Practitioner:PractitionerRole	s
r	Goal	DomainResource
-identifier	*	Identifier
-lifecycleStatus	1	code	sm	goal-status
-achievementStatus	?	CodeableConcept	s
-category	*	CodeableConcept	s
-priority	?	CodeableConcept	s
-description	1	CodeableConcept	s
-subject	1	Reference:Patient:Group:Organization	s
-start	?	date,CodeableConcept	xs
-target	*	Goal.target
-statusDate	?	date	s
-statusReason	?	string
-expressedBy	?	Reference:Patient:Practitioner:PractitionerRole:RelatedPerson	s
-addresses	*	Reference:Condition:Observation:MedicationStatement:NutritionOrder:ServiceRequest:RiskAssessment
-note	*	Annotation
-outcomeCode	*	CodeableConcept
-outcomeReference	*	Reference:Observation
n	Goal.target	BackboneElement
-measure	?	CodeableConcept	s
-detail	?	Quantity,Range,CodeableConcept,string,boolean,integer,Ratio	xs
-due	?	date,Duration	xs
r	GraphDefinition	DomainResource
-url	?	uri	s
-version	?	string	s
-name	1	string	s
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-start	1	code	s	resource-types
-profile	?	canonical:StructureDefinition
-link	*	GraphDefinition.link
n	GraphDefinition.link	BackboneElement
-path	?	string
-sliceName	?	string
-min	?	integer
-max	?	string
-description	?	string
-target	*	GraphDefinition.link.target
n	GraphDefinition.link.target	BackboneElement
-type	1	code		resource-types
-params	?	string
-profile	?	canonical:StructureDefinition
-compartment	*	GraphDefinition.link.target.compartment
-link	*	GraphDefinition.link
n	GraphDefinition.link.target.compartment	BackboneElement
-use	1	code		graph-compartment-use
-code	1	code		compartment-type
-rule	1	code		graph-compartment-rule
-expression	?	string
-description	?	string
r	Group	DomainResource
-identifier	*	Identifier	s
-active	?	boolean	s
-type	1	code	s	group-type
-actual	1	boolean	s
-code	?	CodeableConcept	s
-name	?	string	s
-quantity	?	unsignedInt	s
-managingEntity	?	Reference:Organization:RelatedPerson:Practitioner:PractitionerRole	s
-characteristic	*	Group.characteristic
-member	*	Group.member
n	Group.characteristic	BackboneElement
-code	1	CodeableConcept
-value	1	CodeableConcept,boolean,Quantity,Range,Reference	x
-exclude	1	boolean
-period	?	Period
n	Group.member	BackboneElement
-entity	1	Reference:Patient:Practitioner:PractitionerRole:Device:Medication:Substance:Group
-period	?	Period
-inactive	?	boolean
r	GuidanceResponse	DomainResource
-requestIdentifier	?	Identifier	s
-identifier	*	Identifier	s
-module	1	uri,canonical,CodeableConcept	xs
-status	1	code	sm	guidance-response-status
-subject	?	Reference:Patient:Group
-encounter	?	Reference:Encounter
-occurrenceDateTime	?	dateTime
-performer	?	Reference:Device
-reasonCode	*	CodeableConcept
-reasonReference	*	Reference:Condition:Observation:DiagnosticReport:DocumentReference
-note	*	Annotation
-evaluationMessage	*	Reference:OperationOutcome
-outputParameters	?	Reference:Parameters
-result	?	Reference:CarePlan:RequestGroup
-dataRequirement	*	DataRequirement
r	HealthcareService	DomainResource
-identifier	*	Identifier	s
-active	?	boolean	sm
-providedBy	?	Reference:Organization	s
-category	*	CodeableConcept	s
-type	*	CodeableConcept	s
-specialty	*	CodeableConcept	s
-location	*	Reference:Location	s
-name	?	string	s
-comment	?	string	s
-extraDetails	?	markdown
-photo	?	Attachment	s
-telecom	*	ContactPoint
-coverageArea	*	Reference:Location
-serviceProvisionCode	*	CodeableConcept
-eligibility	*	HealthcareService.eligibility
-program	*	CodeableConcept
-characteristic	*	CodeableConcept
-communication	*	CodeableConcept
-referralMethod	*	CodeableConcept
-appointmentRequired	?	boolean
-availableTime	*	HealthcareService.availableTime
-notAvailable	*	HealthcareService.notAvailable
-availabilityExceptions	?	string
-endpoint	*	Reference:Endpoint
n	HealthcareService.eligibility	BackboneElement
-code	?	CodeableConcept
-comment	?	markdown
n	HealthcareService.availableTime	BackboneElement
-daysOfWeek	*	code		days-of-week
-allDay	?	boolean
-availableStartTime	?	time
-availableEndTime	?	time
n	HealthcareService.notAvailable	BackboneElement
-description	1	string
-during	?	Period
t	HumanName	Element
-use	?	code	sm	name-use
-text	?	string	s
-family	?	string	s
-given	*	string	s
-prefix	*	string	s
-suffix	*	string	s
-period	?	Period	s
t	Identifier	Element
-use	?	code	sm	identifier-use
-type	?	CodeableConcept	s
-system	?	uri	s
-value	?	string	s
-period	?	Period	s
-assigner	?	Reference:Organization	s
r	ImagingStudy	DomainResource
-identifier	*	Identifier	s
-status	1	code	sm	imagingstudy-status
-modality	*	Coding	s
-subject	1	Reference:Patient:Device:Group	s
-encounter	?	Reference:Encounter	s
-started	?	dateTime	s
-basedOn	*	Reference:CarePlan:ServiceRequest:Appointment:AppointmentResponse:Task	s
-referrer	?	Reference:Practitioner:PractitionerRole	s
-interpreter	*	Reference:Practitioner:PractitionerRole	s
-endpoint	*	Reference:Endpoint	s
-numberOfSeries	?	unsignedInt	s
-numberOfInstances	?	unsignedInt	s
-procedureReference	?	Reference:Procedure	s
-procedureCode	*	CodeableConcept	s
-location	?	Reference:Location	s
-reasonCode	*	CodeableConcept	s
-reasonReference	*	Reference:Condition:Observation:Media:DiagnosticReport:DocumentReference	s
-note	*	Annotation	s
-description	?	string	s
-series	*	ImagingStudy.series	s
n	ImagingStudy.series	BackboneElement
-uid	1	id	s
-number	?	unsignedInt	s
-modality	1	Coding	s
-description	?	string	s
-numberOfInstances	?	unsignedInt	s
-endpoint	*	Reference:Endpoint	s
-bodySite	?	Coding	s
-laterality	?	Coding	s
-specimen	*	Reference:Specimen	s
-started	?	dateTime	s
-performer	*	ImagingStudy.series.performer	s
-instance	*	ImagingStudy.series.instance
n	ImagingStudy.series.performer	BackboneElement
-function	?	CodeableConcept	s
-actor	1	Reference:Practitioner:PractitionerRole:Organization:CareTeam:Patient:Device:RelatedPerson	s
n	ImagingStudy.series.instance	BackboneElement
-uid	1	id
-sopClass	1	Coding
-number	?	unsignedInt
-title	?	string
r	Immunization	DomainResource
-identifier	*	Identifier
-status	1	code	sm	immunization-status
-statusReason	?	CodeableConcept
-vaccineCode	1	CodeableConcept	s
-patient	1	Reference:Patient	s
-encounter	?	Reference:Encounter
-occurrence	1	dateTime,string	xs
-recorded	?	dateTime
-primarySource	?	boolean	s
-reportOrigin	?	CodeableConcept
-location	?	Reference:Location
-manufacturer	?	Reference:Organization
-lotNumber	?	string
-expirationDate	?	date
-site	?	CodeableConcept
-route	?	CodeableConcept
-doseQuantity	?	Quantity
-performer	*	Immunization.performer	s
-note	*	Annotation	s
-reasonCode	*	CodeableConcept
-reasonReference	*	Reference:Condition:Observation:DiagnosticReport
-isSubpotent	?	boolean	sm
-subpotentReason	*	CodeableConcept
-education	*	Immunization.education
-programEligibility	*	CodeableConcept
-fundingSource	?	CodeableConcept
-reaction	*	Immunization.reaction
-protocolApplied	*	Immunization.protocolApplied
n	Immunization.performer	BackboneElement
-function	?	CodeableConcept	s
-actor	1	Reference:Practitioner:PractitionerRole:Organization	s
n	Immunization.education	BackboneElement
-documentType	?	string
-reference	?	uri
-publicationDate	?	dateTime
-presentationDate	?	dateTime
n	Immunization.reaction	BackboneElement
-date	?	dateTime
-detail	?	Reference:Observation
-reported	?	boolean
n	Immunization.protocolApplied	BackboneElement
-series	?	string
-authority	?	Reference:Organization
-targetDisease	*	CodeableConcept
-doseNumber	1	positiveInt,string	x
-seriesDoses	?	positiveInt,string	x
r	ImmunizationEvaluation	DomainResource
-identifier	*	Identifier
-status	1	code	sm	immunization-evaluation-status
-patient	1	Reference:Patient	s
-date	?	dateTime
-authority	?	Reference:Organization
-targetDisease	1	CodeableConcept	s
-immunizationEvent	1	Reference:Immunization	s
-doseStatus	1	CodeableConcept	s
-doseStatusReason	*	CodeableConcept
-description	?	string
-series	?	string
-doseNumber	?	positiveInt,string	x
-seriesDoses	?	positiveInt,string	x
r	ImmunizationRecommendation	DomainResource
-identifier	*	Identifier	s
-patient	1	Reference:Patient	s
-date	1	dateTime	s
-authority	?	Reference:Organization
-recommendation	+	ImmunizationRecommendation.recommendation	s
n	ImmunizationRecommendation.recommendation	BackboneElement
-vaccineCode	*	CodeableConcept	s
-targetDisease	?	CodeableConcept	s
-contraindicatedVaccineCode	*	CodeableConcept	s
-forecastStatus	1	CodeableConcept	sm
-forecastReason	*	CodeableConcept	s
-dateCriterion	*	ImmunizationRecommendation.recommendation.dateCriterion
-description	?	string
-series	?	string
-doseNumber	?	positiveInt,string	xs
-seriesDoses	?	positiveInt,string	x
-supportingImmunization	*	Reference:Immunization:ImmunizationEvaluation
-supportingPatientInformation	*	Reference
n	ImmunizationRecommendation.recommendation.dateCriterion	BackboneElement
-code	1	CodeableConcept
-value	1	dateTime
r	ImplementationGuide	DomainResource
-url	1	uri	s
-version	?	string	s
-name	1	string	s
-title	?	string	s
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-copyright	?	markdown
-packageId	1	id	s
-license	?	code	s	spdx-license
-fhirVersion	+	code	s	FHIR-version
-dependsOn	*	ImplementationGuide.dependsOn	s
-global	*	ImplementationGuide.global	s
-definition	?	ImplementationGuide.definition
-manifest	?	ImplementationGuide.manifest
n	ImplementationGuide.dependsOn	BackboneElement
-uri	1	canonical:ImplementationGuide	s
-packageId	?	id	s
-version	?	string	s
n	ImplementationGuide.global	BackboneElement
-type	1	code	s	resource-types
-profile	1	canonical:StructureDefinition	s
n	ImplementationGuide.definition	BackboneElement
-grouping	*	ImplementationGuide.definition.grouping
-resource	+	ImplementationGuide.definition.resource
-page	?	ImplementationGuide.definition.page
-parameter	*	ImplementationGuide.definition.parameter
-template	*	ImplementationGuide.definition.template
n	ImplementationGuide.definition.grouping	BackboneElement
-name	1	string
-description	?	string
n	ImplementationGuide.definition.resource	BackboneElement
-reference	1	Reference
-fhirVersion	*	code		FHIR-version
-name	?	string
-description	?	string
-example	?	boolean,canonical:StructureDefinition	x
-groupingId	?	id
n	ImplementationGuide.definition.page	BackboneElement
-name	1	url,Reference:Binary	x
-title	1	string
-generation	1	code		guide-page-generation
-page	*	ImplementationGuide.definition.page
n	ImplementationGuide.definition.parameter	BackboneElement
-code	1	code		guide-parameter-code
-value	1	string
n	ImplementationGuide.definition.template	BackboneElement
-code	1	code
-source	1	string
-scope	?	string
n	ImplementationGuide.manifest	BackboneElement
-rendering	?	url	s
-resource	+	ImplementationGuide.manifest.resource	s
-page	*	ImplementationGuide.manifest.page
-image	*	string
-other	*	string
n	ImplementationGuide.manifest.resource	BackboneElement
-reference	1	Reference	s
-example	?	boolean,canonical:StructureDefinition	x
-relativePath	?	url
n	ImplementationGuide.manifest.page	BackboneElement
-name	1	string
-title	?	string
-anchor	*	string
r	InsurancePlan	DomainResource
-identifier	*	Identifier	s
-status	?	code	sm	publication-status
-type	*	CodeableConcept	s
-name	?	string	s
-alias	*	string
-period	?	Period
-ownedBy	?	Reference:Organization	s
-administeredBy	?	Reference:Organization	s
-coverageArea	*	Reference:Location	s
-contact	*	InsurancePlan.contact
-endpoint	*	Reference:Endpoint
-network	*	Reference:Organization
-coverage	*	InsurancePlan.coverage
-plan	*	InsurancePlan.plan
n	InsurancePlan.contact	BackboneElement
-purpose	?	CodeableConcept
-name	?	HumanName
-telecom	*	ContactPoint
-address	?	Address
n	InsurancePlan.coverage	BackboneElement
-type	1	CodeableConcept
-network	*	Reference:Organization
-benefit	+	InsurancePlan.coverage.benefit
n	InsurancePlan.coverage.benefit	BackboneElement
-type	1	CodeableConcept
-requirement	?	string
-limit	*	InsurancePlan.coverage.benefit.limit
n	InsurancePlan.coverage.benefit.limit	BackboneElement
-value	?	Quantity
-code	?	CodeableConcept
n	InsurancePlan.plan	BackboneElement
-identifier	*	Identifier	s
-type	?	CodeableConcept
-coverageArea	*	Reference:Location	s
-network	*	Reference:Organization
-generalCost	*	InsurancePlan.plan.generalCost
-specificCost	*	InsurancePlan.plan.specificCost
n	InsurancePlan.plan.generalCost	BackboneElement
-type	?	CodeableConcept
-groupSize	?	positiveInt
-cost	?	Money
-comment	?	string
n	InsurancePlan.plan.specificCost	BackboneElement
-category	1	CodeableConcept
-benefit	*	InsurancePlan.plan.specificCost.benefit
n	InsurancePlan.plan.specificCost.benefit	BackboneElement
-type	1	CodeableConcept
-cost	*	InsurancePlan.plan.specificCost.benefit.cost
n	InsurancePlan.plan.specificCost.benefit.cost	BackboneElement
-type	1	CodeableConcept
-applicability	?	CodeableConcept
-qualifiers	*	CodeableConcept
-value	?	Quantity
r	Invoice	DomainResource
-identifier	*	Identifier	s
-status	1	code	sm	invoice-status
-cancelledReason	?	string
-type	?	CodeableConcept	s
-subject	?	Reference:Patient:Group	s
-recipient	?	Reference:Organization:Patient:RelatedPerson	s
-date	?	dateTime	s
-participant	*	Invoice.participant
-issuer	?	Reference:Organization
-account	?	Reference:Account
-lineItem	*	Invoice.lineItem
-totalPriceComponent	*	Invoice.lineItem.priceComponent
-totalNet	?	Money	s
-totalGross	?	Money	s
-paymentTerms	?	markdown
-note	*	Annotation
n	Invoice.participant	BackboneElement
-role	?	CodeableConcept
-actor	1	Reference:Practitioner:Organization:Patient:PractitionerRole:Device:RelatedPerson
n	Invoice.lineItem	BackboneElement
-sequence	?	positiveInt
-chargeItem	1	Reference:ChargeItem,CodeableConcept	x
-priceComponent	*	Invoice.lineItem.priceComponent
n	Invoice.lineItem.priceComponent	BackboneElement
-type	1	code		invoice-priceComponentType
-code	?	CodeableConcept
-factor	?	decimal
-amount	?	Money
r	Library	DomainResource
-url	?	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-subtitle	?	string
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-type	1	CodeableConcept	s
-subject	?	CodeableConcept,Reference:Group	x
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown	s
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-usage	?	string
-copyright	?	markdown
-approvalDate	?	date
-lastReviewDate	?	date
-effectivePeriod	?	Period	s
-topic	*	CodeableConcept
-author	*	ContactDetail
-editor	*	ContactDetail
-reviewer	*	ContactDetail
-endorser	*	ContactDetail
-relatedArtifact	*	RelatedArtifact
-parameter	*	ParameterDefinition
-dataRequirement	*	DataRequirement
-content	*	Attachment	s
r	Linkage	DomainResource
-active	?	boolean	s
-author	?	Reference:Practitioner:PractitionerRole:Organization	s
-item	+	Linkage.item	s
n	Linkage.item	BackboneElement
-type	1	code	s	linkage-type
-resource	1	Reference	s
r	List	DomainResource
-identifier	*	Identifier
-status	1	code	sm	list-status
-mode	1	code	sm	list-mode
-title	?	string	s
-code	?	CodeableConcept	s
-subject	?	Reference:Patient:Group:Device:Location	s
-encounter	?	Reference:Encounter
-date	?	dateTime	s
-source	?	Reference:Practitioner:PractitionerRole:Patient:Device	s
-orderedBy	?	CodeableConcept
-note	*	Annotation
-entry	*	List.entry
-emptyReason	?	CodeableConcept
n	List.entry	BackboneElement
-flag	?	CodeableConcept
-deleted	?	boolean	m
-date	?	dateTime
-item	1	Reference
r	Location	DomainResource
-identifier	*	Identifier	s
-status	?	code	sm	location-status
-operationalStatus	?	Coding	s
-name	?	string	s
-alias	*	string
-description	?	string	s
-mode	?	code	s	location-mode
-type	*	CodeableConcept	s
-telecom	*	ContactPoint
-address	?	Address
-physicalType	?	CodeableConcept	s
-position	?	Location.position
-managingOrganization	?	Reference:Organization	s
-partOf	?	Reference:Location
-hoursOfOperation	*	Location.hoursOfOperation
-availabilityExceptions	?	string
-endpoint	*	Reference:Endpoint
n	Location.position	BackboneElement
-longitude	1	decimal
-latitude	1	decimal
-altitude	?	decimal
n	Location.hoursOfOperation	BackboneElement
-daysOfWeek	*	code		days-of-week
-allDay	?	boolean
-openingTime	?	time
-closingTime	?	time
t	MarketingStatus	BackboneElement
-country	1	CodeableConcept	s
-jurisdiction	?	CodeableConcept	s
-status	1	CodeableConcept	s
-dateRange	1	Period	s
-restoreDate	?	dateTime	s
r	Measure	DomainResource
-url	?	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-subtitle	?	string
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-subject	?	CodeableConcept,Reference:Group	x
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown	s
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-usage	?	string
-copyright	?	markdown
-approvalDate	?	date
-lastReviewDate	?	date
-effectivePeriod	?	Period	s
-topic	*	CodeableConcept
-author	*	ContactDetail
-editor	*	ContactDetail
-reviewer	*	ContactDetail
-endorser	*	ContactDetail
-relatedArtifact	*	RelatedArtifact
-library	*	canonical:Library
-disclaimer	?	markdown	s
-scoring	?	CodeableConcept	s
-compositeScoring	?	CodeableConcept	s
-type	*	CodeableConcept	s
-riskAdjustment	?	string	s
-rateAggregation	?	string	s
-rationale	?	markdown	s
-clinicalRecommendationStatement	?	markdown	s
-improvementNotation	?	CodeableConcept	s
-definition	*	markdown	s
-guidance	?	markdown	s
-group	*	Measure.group
-supplementalData	*	Measure.supplementalData
n	Measure.group	BackboneElement
-code	?	CodeableConcept
-description	?	string
-population	*	Measure.group.population
-stratifier	*	Measure.group.stratifier
n	Measure.group.population	BackboneElement
-code	?	CodeableConcept
-description	?	string
-criteria	1	Expression
n	Measure.group.stratifier	BackboneElement
-code	?	CodeableConcept
-description	?	string
-criteria	?	Expression
-component	*	Measure.group.stratifier.component
n	Measure.group.stratifier.component	BackboneElement
-code	?	CodeableConcept
-description	?	string
-criteria	1	Expression
n	Measure.supplementalData	BackboneElement
-code	?	CodeableConcept
-usage	*	CodeableConcept
-description	?	string
-criteria	1	Expression
r	MeasureReport	DomainResource
-identifier	*	Identifier	s
-status	1	code	sm	measure-report-status
-type	1	code	s	measure-report-type
-measure	1	canonical:Measure	s
-subject	?	Reference:Patient:Practitioner:PractitionerRole:Location:Device:RelatedPerson:Group	s
-date	?	dateTime	s
-reporter	?	Reference:Practitioner:PractitionerRole:Location:Organization	s
-period	1	Period	s
-improvementNotation	?	CodeableConcept	sm
-group	*	MeasureReport.group
-evaluatedResource	*	Reference
n	MeasureReport.group	BackboneElement
-code	?	CodeableConcept	s
-population	*	MeasureReport.group.population
-measureScore	?	Quantity	s
-stratifier	*	MeasureReport.group.stratifier
n	MeasureReport.group.population	BackboneElement
-code	?	CodeableConcept	s
-count	?	integer
-subjectResults	?	Reference:List
n	MeasureReport.group.stratifier	BackboneElement
-code	*	CodeableConcept
-stratum	*	MeasureReport.group.stratifier.stratum
n	MeasureReport.group.stratifier.stratum	BackboneElement
-value	?	CodeableConcept
-component	*	MeasureReport.group.stratifier.stratum.component
-population	*	MeasureReport.group.stratifier.stratum.population
-measureScore	?	Quantity
n	MeasureReport.group.stratifier.stratum.component	BackboneElement
-code	1	CodeableConcept
-value	1	CodeableConcept
n	MeasureReport.group.stratifier.stratum.population	BackboneElement
-code	?	CodeableConcept
-count	?	integer
-subjectResults	?	Reference:List
r	Media	DomainResource
-identifier	*	Identifier	s
-basedOn	*	Reference:ServiceRequest:CarePlan	s
-partOf	*	Reference	s
-status	1	code	sm	event-status
-type	?	CodeableConcept	s
-modality	?	CodeableConcept	s
-view	?	CodeableConcept	s
-subject	?	Reference:Patient:Practitioner:PractitionerRole:Group:Device:Specimen:Location	s
-encounter	?	Reference:Encounter	s
-created	?	dateTime,Period	xs
-issued	?	instant	s
-operator	?	Reference:Practitioner:PractitionerRole:Organization:CareTeam:Patient:Device:RelatedPerson	s
-reasonCode	*	CodeableConcept	s
-bodySite	?	CodeableConcept	s
-deviceName	?	string	s
-device	?	Reference:Device:DeviceMetric:Device	s
-height	?	positiveInt	s
-width	?	positiveInt	s
-frames	?	positiveInt	s
-duration	?	decimal	s
-content	1	Attachment	s
-note	*	Annotation
r	Medication	DomainResource
-identifier	*	Identifier	s
-code	?	CodeableConcept	s
-status	?	code	sm	medication-status
-manufacturer	?	Reference:Organization	s
-form	?	CodeableConcept
-amount	?	Ratio	s
-ingredient	*	Medication.ingredient
-batch	?	Medication.batch
n	Medication.ingredient	BackboneElement
-item	1	CodeableConcept,Reference:Substance:Medication	x
-isActive	?	boolean
-strength	?	Ratio
n	Medication.batch	BackboneElement
-lotNumber	?	string
-expirationDate	?	dateTime
r	MedicationAdministration	DomainResource
-identifier	*	Identifier
-instantiates	*	uri	s
-partOf	*	Reference:MedicationAdministration:Procedure	s
-status	1	code	sm	medication-admin-status
-statusReason	*	CodeableConcept
-category	?	CodeableConcept
-medication	1	CodeableConcept,Reference:Medication	xs
-subject	1	Reference:Patient:Group	s
-context	?	Reference:Encounter:EpisodeOfCare
-supportingInformation	*	Reference
-effective	1	dateTime,Period	xs
-performer	*	MedicationAdministration.performer	s
-reasonCode	*	CodeableConcept
-reasonReference	*	Reference:Condition:Observation:DiagnosticReport
-request	?	Reference:MedicationRequest
-device	*	Reference:Device
-note	*	Annotation
-dosage	?	MedicationAdministration.dosage
-eventHistory	*	Reference:Provenance
n	MedicationAdministration.performer	BackboneElement
-function	?	CodeableConcept
-actor	1	Reference:Practitioner:PractitionerRole:Patient:RelatedPerson:Device	s
n	MedicationAdministration.dosage	BackboneElement
-text	?	string
-site	?	CodeableConcept
-route	?	CodeableConcept
-method	?	CodeableConcept
-dose	?	Quantity
-rate	?	Ratio,Quantity	x
r	MedicationDispense	DomainResource
-identifier	*	Identifier
-partOf	*	Reference:Procedure
-status	1	code	sm	medicationdispense-status
-statusReason	?	CodeableConcept,Reference:DetectedIssue	x
-category	?	CodeableConcept
-medication	1	CodeableConcept,Reference:Medication	xs
-subject	?	Reference:Patient:Group	s
-context	?	Reference:Encounter:EpisodeOfCare
-supportingInformation	*	Reference
-performer	*	MedicationDispense.performer
-location	?	Reference:Location
-authorizingPrescription	*	Reference:MedicationRequest
-type	?	CodeableConcept
-quantity	?	Quantity
-daysSupply	?	Quantity
-whenPrepared	?	dateTime	s
-whenHandedOver	?	dateTime
-destination	?	Reference:Location
-receiver	*	Reference:Patient:Practitioner
-note	*	Annotation
-dosageInstruction	*	Dosage
-substitution	?	MedicationDispense.substitution
-detectedIssue	*	Reference:DetectedIssue
-eventHistory	*	Reference:Provenance
n	MedicationDispense.performer	BackboneElement
-function	?	CodeableConcept
-actor	1	Reference:Practitioner:PractitionerRole:Organization:Patient:Device:RelatedPerson
n	MedicationDispense.substitution	BackboneElement
-wasSubstituted	1	boolean
-type	?	CodeableConcept
-reason	*	CodeableConcept
-responsibleParty	*	Reference:Practitioner:PractitionerRole
r	MedicationKnowledge	DomainResource
-code	?	CodeableConcept	s
-status	?	code	sm	medicationknowledge-status
-manufacturer	?	Reference:Organization	s
-doseForm	?	CodeableConcept
-amount	?	Quantity	s
-synonym	*	string	s
-relatedMedicationKnowledge	*	MedicationKnowledge.relatedMedicationKnowledge
-associatedMedication	*	Reference:Medication
-productType	*	CodeableConcept
-monograph	*	MedicationKnowledge.monograph
-ingredient	*	MedicationKnowledge.ingredient
-preparationInstruction	?	markdown
-intendedRoute	*	CodeableConcept
-cost	*	MedicationKnowledge.cost
-monitoringProgram	*	MedicationKnowledge.monitoringProgram
-administrationGuidelines	*	MedicationKnowledge.administrationGuidelines
-medicineClassification	*	MedicationKnowledge.medicineClassification
-packaging	?	MedicationKnowledge.packaging
-drugCharacteristic	*	MedicationKnowledge.drugCharacteristic
-contraindication	*	Reference:DetectedIssue
-regulatory	*	MedicationKnowledge.regulatory
-kinetics	*	MedicationKnowledge.kinetics
n	MedicationKnowledge.relatedMedicationKnowledge	BackboneElement
-type	1	CodeableConcept
-reference	+	Reference:MedicationKnowledge
n	MedicationKnowledge.monograph	BackboneElement
-type	?	CodeableConcept
-source	?	Reference:DocumentReference:Media
n	MedicationKnowledge.ingredient	BackboneElement
-item	1	CodeableConcept,Reference:Substance	x
-isActive	?	boolean
-strength	?	Ratio
n	MedicationKnowledge.cost	BackboneElement
-type	1	CodeableConcept
-source	?	string
-cost	1	Money
n	MedicationKnowledge.monitoringProgram	BackboneElement
-type	?	CodeableConcept
-name	?	string
n	MedicationKnowledge.administrationGuidelines	BackboneElement
-dosage	*	MedicationKnowledge.administrationGuidelines.dosage
-indication	?	CodeableConcept,Reference:ObservationDefinition	x
-patientCharacteristics	*	MedicationKnowledge.administrationGuidelines.patientCharacteristics
n	MedicationKnowledge.administrationGuidelines.dosage	BackboneElement
-type	1	CodeableConcept
-dosage	+	Dosage
n	MedicationKnowledge.administrationGuidelines.patientCharacteristics	BackboneElement
-characteristic	1	CodeableConcept,Quantity	x
-value	*	string
n	MedicationKnowledge.medicineClassification	BackboneElement
-type	1	CodeableConcept
-classification	*	CodeableConcept
n	MedicationKnowledge.packaging	BackboneElement
-type	?	CodeableConcept
-quantity	?	Quantity
n	MedicationKnowledge.drugCharacteristic	BackboneElement
-type	?	CodeableConcept
-value	?	CodeableConcept,string,Quantity,base64Binary	x
n	MedicationKnowledge.regulatory	BackboneElement
-regulatoryAuthority	1	Reference:Organization
-substitution	*	MedicationKnowledge.regulatory.substitution
-schedule	*	MedicationKnowledge.regulatory.schedule
-maxDispense	?	MedicationKnowledge.regulatory.maxDispense
n	MedicationKnowledge.regulatory.substitution	BackboneElement
-type	1	CodeableConcept
-allowed	1	boolean
n	MedicationKnowledge.regulatory.schedule	BackboneElement
-schedule	1	CodeableConcept
n	MedicationKnowledge.regulatory.maxDispense	BackboneElement
-quantity	1	Quantity
-period	?	Duration
n	MedicationKnowledge.kinetics	BackboneElement
-areaUnderCurve	*	Quantity
-lethalDose50	*	Quantity
-halfLifePeriod	?	Duration
r	MedicationRequest	DomainResource
-identifier	*	Identifier
-status	1	code	sm	medicationrequest-status
-statusReason	?	CodeableConcept
-intent	1	code	sm	medicationrequest-intent
-category	*	CodeableConcept
-priority	?	code	s	request-priority
-doNotPerform	?	boolean	sm
-reported	?	boolean,Reference:Patient:Practitioner:PractitionerRole:RelatedPerson:Organization	xs
-medication	1	CodeableConcept,Reference:Medication	xs
-subject	1	Reference:Patient:Group	s
-encounter	?	Reference:Encounter
-supportingInformation	*	Reference
-authoredOn	?	dateTime	s
-requester	?	Reference:Practitioner:PractitionerRole:Organization:Patient:RelatedPerson:Device	s
-performer	?	Reference:Practitioner:PractitionerRole:Organization:Patient:Device:RelatedPerson:CareTeam
-performerType	?	CodeableConcept	s
-recorder	?	Reference:Practitioner:PractitionerRole
-reasonCode	*	CodeableConcept
-reasonReference	*	Reference:Condition:Observation
-instantiatesCanonical	*	canonical	s
-instantiatesUri	*	uri	s
-basedOn	*	Reference:CarePlan:MedicationRequest:ServiceRequest:ImmunizationRecommendation	s
-groupIdentifier	?	Identifier	s
-courseOfTherapyType	?	CodeableConcept
-insurance	*	Reference:Coverage:ClaimResponse
-note	*	Annotation
-dosageInstruction	*	Dosage
-dispenseRequest	?	MedicationRequest.dispenseRequest
-substitution	?	MedicationRequest.substitution
-priorPrescription	?	Reference:MedicationRequest
-detectedIssue	*	Reference:DetectedIssue
-eventHistory	*	Reference:Provenance
n	MedicationRequest.dispenseRequest	BackboneElement
-initialFill	?	MedicationRequest.dispenseRequest.initialFill
-dispenseInterval	?	Duration
-validityPeriod	?	Period
-numberOfRepeatsAllowed	?	unsignedInt
-quantity	?	Quantity
-expectedSupplyDuration	?	Duration
-performer	?	Reference:Organization
n	MedicationRequest.dispenseRequest.initialFill	BackboneElement
-quantity	?	Quantity
-duration	?	Duration
n	MedicationRequest.substitution	BackboneElement
-allowed	1	boolean,CodeableConcept	x
-reason	?	CodeableConcept
r	MedicationStatement	DomainResource
-identifier	*	Identifier	s
-basedOn	*	Reference:MedicationRequest:CarePlan:ServiceRequest	s
-partOf	*	Reference:MedicationAdministration:MedicationDispense:MedicationStatement:Procedure:Observation	s
-status	1	code	sm	medication-statement-status
-statusReason	*	CodeableConcept
-category	?	CodeableConcept	s
-medication	1	CodeableConcept,Reference:Medication	xs
-subject	1	Reference:Patient:Group	s
-context	?	Reference:Encounter:EpisodeOfCare	s
-effective	?	dateTime,Period	xs
-dateAsserted	?	dateTime	s
-informationSource	?	Reference:Patient:Practitioner:PractitionerRole:RelatedPerson:Organization
-derivedFrom	*	Reference
-reasonCode	*	CodeableConcept
-reasonReference	*	Reference:Condition:Observation:DiagnosticReport
-note	*	Annotation
-dosage	*	Dosage
r	MedicinalProduct	DomainResource
-identifier	*	Identifier	s
-type	?	CodeableConcept	s
-domain	?	Coding	s
-combinedPharmaceuticalDoseForm	?	CodeableConcept	s
-legalStatusOfSupply	?	CodeableConcept	s
-additionalMonitoringIndicator	?	CodeableConcept	s
-specialMeasures	*	string	s
-paediatricUseIndicator	?	CodeableConcept	s
-productClassification	*	CodeableConcept	s
-marketingStatus	*	MarketingStatus	s
-pharmaceuticalProduct	*	Reference:MedicinalProductPharmaceutical	s
-packagedMedicinalProduct	*	Reference:MedicinalProductPackaged	s
-attachedDocument	*	Reference:DocumentReference	s
-masterFile	*	Reference:DocumentReference	s
-contact	*	Reference:Organization:PractitionerRole	s
-clinicalTrial	*	Reference:ResearchStudy	s
-name	+	MedicinalProduct.name	s
-crossReference	*	Identifier	s
-manufacturingBusinessOperation	*	MedicinalProduct.manufacturingBusinessOperation	s
-specialDesignation	*	MedicinalProduct.specialDesignation	s
n	MedicinalProduct.name	BackboneElement
-productName	1	string	s
-namePart	*	MedicinalProduct.name.namePart	s
-countryLanguage	*	MedicinalProduct.name.countryLanguage	s
n	MedicinalProduct.name.namePart	BackboneElement
-part	1	string	s
-type	1	Coding	s
n	MedicinalProduct.name.countryLanguage	BackboneElement
-country	1	CodeableConcept	s
-jurisdiction	?	CodeableConcept	s
-language	1	CodeableConcept	s
n	MedicinalProduct.manufacturingBusinessOperation	BackboneElement
-operationType	?	CodeableConcept	s
-authorisationReferenceNumber	?	Identifier	s
-effectiveDate	?	dateTime	s
-confidentialityIndicator	?	CodeableConcept	s
-manufacturer	*	Reference:Organization	s
-regulator	?	Reference:Organization	s
n	MedicinalProduct.specialDesignation	BackboneElement
-identifier	*	Identifier	s
-type	?	CodeableConcept	s
-intendedUse	?	CodeableConcept	s
-indication	?	CodeableConcept,Reference:MedicinalProductIndication	xs
-status	?	CodeableConcept	s
-date	?	dateTime	s
-species	?	CodeableConcept	s
r	MedicinalProductAuthorization	DomainResource
-identifier	*	Identifier	s
-subject	?	Reference:MedicinalProduct:MedicinalProductPackaged	s
-country	*	CodeableConcept	s
-jurisdiction	*	CodeableConcept	s
-status	?	CodeableConcept	s
-statusDate	?	dateTime	s
-restoreDate	?	dateTime	s
-validityPeriod	?	Period	s
-dataExclusivityPeriod	?	Period	s
-dateOfFirstAuthorization	?	dateTime	s
-internationalBirthDate	?	dateTime	s
-legalBasis	?	CodeableConcept	s
-jurisdictionalAuthorization	*	MedicinalProductAuthorization.jurisdictionalAuthorization	s
-holder	?	Reference:Organization	s
-regulator	?	Reference:Organization	s
-procedure	?	MedicinalProductAuthorization.procedure	s
n	MedicinalProductAuthorization.jurisdictionalAuthorization	BackboneElement
-identifier	*	Identifier	s
-country	?	CodeableConcept	s
-jurisdiction	*	CodeableConcept	s
-legalStatusOfSupply	?	CodeableConcept	s
-validityPeriod	?	Period	s
n	MedicinalProductAuthorization.procedure	BackboneElement
-identifier	?	Identifier	s
-type	1	CodeableConcept	s
-date	?	Period,dateTime	xs
-application	*	MedicinalProductAuthorization.procedure	s
r	MedicinalProductContraindication	DomainResource
-subject	*	Reference:MedicinalProduct:Medication	s
-disease	?	CodeableConcept	s
-diseaseStatus	?	CodeableConcept	s
-comorbidity	*	CodeableConcept	s
-therapeuticIndication	*	Reference:MedicinalProductIndication	s
-otherTherapy	*	MedicinalProductContraindication.otherTherapy	s
-population	*	Population	s
n	MedicinalProductContraindication.otherTherapy	BackboneElement
-therapyRelationshipType	1	CodeableConcept	s
-medication	1	CodeableConcept,Reference:MedicinalProduct:Medication:Substance:SubstanceSpecification	xs
r	MedicinalProductIndication	DomainResource
-subject	*	Reference:MedicinalProduct:Medication	s
-diseaseSymptomProcedure	?	CodeableConcept	s
-diseaseStatus	?	CodeableConcept	s
-comorbidity	*	CodeableConcept	s
-intendedEffect	?	CodeableConcept	s
-duration	?	Quantity	s
-otherTherapy	*	MedicinalProductIndication.otherTherapy	s
-undesirableEffect	*	Reference:MedicinalProductUndesirableEffect	s
-population	*	Population	s
n	MedicinalProductIndication.otherTherapy	BackboneElement
-therapyRelationshipType	1	CodeableConcept	s
-medication	1	CodeableConcept,Reference:MedicinalProduct:Medication:Substance:SubstanceSpecification	xs
r	MedicinalProductIngredient	DomainResource
-identifier	?	Identifier	s
-role	1	CodeableConcept	s
-allergenicIndicator	?	boolean	s
-manufacturer	*	Reference:Organization	s
-specifiedSubstance	*	MedicinalProductIngredient.specifiedSubstance	s
-substance	?	MedicinalProductIngredient.substance	s
n	MedicinalProductIngredient.specifiedSubstance	BackboneElement
-code	1	CodeableConcept	s
-group	1	CodeableConcept	s
-confidentiality	?	CodeableConcept	s
-strength	*	MedicinalProductIngredient.specifiedSubstance.strength	s
n	MedicinalProductIngredient.specifiedSubstance.strength	BackboneElement
-presentation	1	Ratio	s
-presentationLowLimit	?	Ratio	sm
-concentration	?	Ratio	s
-concentrationLowLimit	?	Ratio	sm
-measurementPoint	?	string	s
-country	*	CodeableConcept	s
-referenceStrength	*	MedicinalProductIngredient.specifiedSubstance.strength.referenceStrength	s
n	MedicinalProductIngredient.specifiedSubstance.strength.referenceStrength	BackboneElement
-substance	?	CodeableConcept	s
-strength	1	Ratio	s
-strengthLowLimit	?	Ratio	s
-measurementPoint	?	string	s
-country	*	CodeableConcept	s
n	MedicinalProductIngredient.substance	BackboneElement
-code	1	CodeableConcept	s
-strength	*	MedicinalProductIngredient.specifiedSubstance.strength	s
r	MedicinalProductInteraction	DomainResource
-subject	*	Reference:MedicinalProduct:Medication:Substance	s
-description	?	string	s
-interactant	*	MedicinalProductInteraction.interactant	s
-type	?	CodeableConcept	s
-effect	?	CodeableConcept	s
-incidence	?	CodeableConcept	s
-management	?	CodeableConcept	s
n	MedicinalProductInteraction.interactant	BackboneElement
-item	1	Reference:MedicinalProduct:Medication:Substance:ObservationDefinition,CodeableConcept	xs
r	MedicinalProductManufactured	DomainResource
-manufacturedDoseForm	1	CodeableConcept	s
-unitOfPresentation	?	CodeableConcept	s
-quantity	1	Quantity	s
-manufacturer	*	Reference:Organization	s
-ingredient	*	Reference:MedicinalProductIngredient	s
-physicalCharacteristics	?	ProdCharacteristic	s
-otherCharacteristics	*	CodeableConcept	s
r	MedicinalProductPackaged	DomainResource
-identifier	*	Identifier	s
-subject	*	Reference:MedicinalProduct	s
-description	?	string	s
-legalStatusOfSupply	?	CodeableConcept	s
-marketingStatus	*	MarketingStatus	s
-marketingAuthorization	?	Reference:MedicinalProductAuthorization	s
-manufacturer	*	Reference:Organization	s
-batchIdentifier	*	MedicinalProductPackaged.batchIdentifier	s
-packageItem	+	MedicinalProductPackaged.packageItem	s
n	MedicinalProductPackaged.batchIdentifier	BackboneElement
-outerPackaging	1	Identifier	s
-immediatePackaging	?	Identifier	s
n	MedicinalProductPackaged.packageItem	BackboneElement
-identifier	*	Identifier	s
-type	1	CodeableConcept	s
-quantity	1	Quantity	s
-material	*	CodeableConcept	s
-alternateMaterial	*	CodeableConcept	s
-device	*	Reference:DeviceDefinition	s
-manufacturedItem	*	Reference:MedicinalProductManufactured	s
-packageItem	*	MedicinalProductPackaged.packageItem	s
-physicalCharacteristics	?	ProdCharacteristic	s
-otherCharacteristics	*	CodeableConcept	s
-shelfLifeStorage	*	ProductShelfLife	s
-manufacturer	*	Reference:Organization	s
r	MedicinalProductPharmaceutical	DomainResource
-identifier	*	Identifier	s
-administrableDoseForm	1	CodeableConcept	s
-unitOfPresentation	?	CodeableConcept	s
-ingredient	*	Reference:MedicinalProductIngredient	s
-device	*	Reference:DeviceDefinition	s
-characteristics	*	MedicinalProductPharmaceutical.characteristics	s
-routeOfAdministration	+	MedicinalProductPharmaceutical.routeOfAdministration	s
n	MedicinalProductPharmaceutical.characteristics	BackboneElement
-code	1	CodeableConcept	s
-status	?	CodeableConcept	s
n	MedicinalProductPharmaceutical.routeOfAdministration	BackboneElement
-code	1	CodeableConcept	s
-firstDose	?	Quantity	s
-maxSingleDose	?	Quantity	s
-maxDosePerDay	?	Quantity	s
-maxDosePerTreatmentPeriod	?	Ratio	s
-maxTreatmentPeriod	?	Duration	s
-targetSpecies	*	MedicinalProductPharmaceutical.routeOfAdministration.targetSpecies	s
n	MedicinalProductPharmaceutical.routeOfAdministration.targetSpecies	BackboneElement
-code	1	CodeableConcept	s
-withdrawalPeriod	*	MedicinalProductPharmaceutical.routeOfAdministration.targetSpecies.withdrawalPeriod	s
n	MedicinalProductPharmaceutical.routeOfAdministration.targetSpecies.withdrawalPeriod	BackboneElement
-tissue	1	CodeableConcept	s
-value	1	Quantity	s
-supportingInformation	?	string	s
r	MedicinalProductUndesirableEffect	DomainResource
-subject	*	Reference:MedicinalProduct:Medication	s
-symptomConditionEffect	?	CodeableConcept	s
-classification	?	CodeableConcept	s
-frequencyOfOccurrence	?	CodeableConcept	s
-population	*	Population	s
r	MessageDefinition	DomainResource
-url	?	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-replaces	*	canonical:MessageDefinition	s
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-date	1	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown	s
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown	s
-copyright	?	markdown
-base	?	canonical:MessageDefinition	s
-parent	*	canonical:ActivityDefinition:PlanDefinition	s
-event	1	Coding,uri	xs
-category	?	code	s	message-significance-category
-focus	*	MessageDefinition.focus	s
-responseRequired	?	code		messageheader-response-request
-allowedResponse	*	MessageDefinition.allowedResponse
-graph	*	canonical:GraphDefinition
n	MessageDefinition.focus	BackboneElement
-code	1	code	s	resource-types
-profile	?	canonical:StructureDefinition
-min	1	unsignedInt	s
-max	?	string
n	MessageDefinition.allowedResponse	BackboneElement
-message	1	canonical:MessageDefinition
-situation	?	markdown
r	MessageHeader	DomainResource
-event	1	Coding,uri	xs
-destination	*	MessageHeader.destination	s
-sender	?	Reference:Practitioner:PractitionerRole:Organization	s
-enterer	?	Reference:Practitioner:PractitionerRole	s
-author	?	Reference:Practitioner:PractitionerRole	s
-source	1	MessageHeader.source	s
-responsible	?	Reference:Practitioner:PractitionerRole:Organization	s
-reason	?	CodeableConcept	s
-response	?	MessageHeader.response	s
-focus	*	Reference	s
-definition	?	canonical:MessageDefinition	s
n	MessageHeader.destination	BackboneElement
-name	?	string	s
-target	?	Reference:Device	s
-endpoint	1	url	s
-receiver	?	Reference:Practitioner:PractitionerRole:Organization	s
n	MessageHeader.source	BackboneElement
-name	?	string	s
-software	?	string	s
-version	?	string	s
-contact	?	ContactPoint	s
-endpoint	1	url	s
n	MessageHeader.response	BackboneElement
-identifier	1	id	s
-code	1	code	s	response-code
-details	?	Reference:OperationOutcome	s
t	Meta	Element
-versionId	?	id	s
-lastUpdated	?	instant	s
-source	?	uri	s
-profile	*	canonical:StructureDefinition	s
-security	*	Coding	s
-tag	*	Coding	s
r	MolecularSequence	DomainResource
-identifier	*	Identifier	s
-type	?	code	s	sequence-type
-coordinateSystem	1	integer	s
-patient	?	Reference:Patient	s
-specimen	?	Reference:Specimen	s
-device	?	Reference:Device	s
-performer	?	Reference:Organization	s
-quantity	?	Quantity	s
-referenceSeq	?	MolecularSequence.referenceSeq	s
-variant	*	MolecularSequence.variant	s
-observedSeq	?	string	s
-quality	*	MolecularSequence.quality	s
-readCoverage	?	integer	s
-repository	*	MolecularSequence.repository	s
-pointer	*	Reference:MolecularSequence	s
-structureVariant	*	MolecularSequence.structureVariant	s
n	MolecularSequence.referenceSeq	BackboneElement
-chromosome	?	CodeableConcept	s
-genomeBuild	?	string	s
-orientation	?	code	s	orientation-type
-referenceSeqId	?	CodeableConcept	s
-referenceSeqPointer	?	Reference:MolecularSequence	s
-referenceSeqString	?	string	s
-strand	?	code	s	strand-type
-windowStart	?	integer	s
-windowEnd	?	integer	s
n	MolecularSequence.variant	BackboneElement
-start	?	integer	s
-end	?	integer	s
-observedAllele	?	string	s
-referenceAllele	?	string	s
-cigar	?	string	s
-variantPointer	?	Reference:Observation	s
n	MolecularSequence.quality	BackboneElement
-type	1	code	s	quality-type
-standardSequence	?	CodeableConcept	s
-start	?	integer	s
-end	?	integer	s
-score	?	Quantity	s
-method	?	CodeableConcept	s
-truthTP	?	decimal	s
-queryTP	?	decimal	s
-truthFN	?	decimal	s
-queryFP	?	decimal	s
-gtFP	?	decimal	s
-precision	?	decimal	s
-recall	?	decimal	s
-fScore	?	decimal	s
-roc	?	MolecularSequence.quality.roc	s
n	MolecularSequence.quality.roc	BackboneElement
-score	*	integer	s
-numTP	*	integer	s
-numFP	*	integer	s
-numFN	*	integer	s
-precision	*	decimal	s
-sensitivity	*	decimal	s
-fMeasure	*	decimal	s
n	MolecularSequence.repository	BackboneElement
-type	1	code	s	repository-type
-url	?	uri	s
-name	?	string	s
-datasetId	?	string	s
-variantsetId	?	string	s
-readsetId	?	string	s
n	MolecularSequence.structureVariant	BackboneElement
-variantType	?	CodeableConcept	s
-exact	?	boolean	s
-length	?	integer	s
-outer	?	MolecularSequence.structureVariant.outer	s
-inner	?	MolecularSequence.structureVariant.inner	s
n	MolecularSequence.structureVariant.outer	BackboneElement
-start	?	integer	s
-end	?	integer	s
n	MolecularSequence.structureVariant.inner	BackboneElement
-start	?	integer	s
-end	?	integer	s
t	Money	Element
-value	?	decimal	s
-currency	?	code	s		currencies
r	NamingSystem	DomainResource
-name	1	string	s
-status	1	code	sm	publication-status
-kind	1	code	s	namingsystem-type
-date	1	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-responsible	?	string
-type	?	CodeableConcept
-description	?	markdown
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-usage	?	string
-uniqueId	+	NamingSystem.uniqueId	s
n	NamingSystem.uniqueId	BackboneElement
-type	1	code	s	namingsystem-identifier-type
-value	1	string	s
-preferred	?	boolean
-comment	?	string
-period	?	Period
t	Narrative	Element
-status	1	code		narrative-status
-div	1	xhtml
r	NutritionOrder	DomainResource
-identifier	*	Identifier
-instantiatesCanonical	*	canonical:ActivityDefinition:PlanDefinition	s
-instantiatesUri	*	uri	s
-instantiates	*	uri
-status	1	code	sm	request-status
-intent	1	code	sm	request-intent
-patient	1	Reference:Patient	s
-encounter	?	Reference:Encounter
-dateTime	1	dateTime	s
-orderer	?	Reference:Practitioner:PractitionerRole	s
-allergyIntolerance	*	Reference:AllergyIntolerance
-foodPreferenceModifier	*	CodeableConcept
-excludeFoodModifier	*	CodeableConcept
-oralDiet	?	NutritionOrder.oralDiet
-supplement	*	NutritionOrder.supplement
-enteralFormula	?	NutritionOrder.enteralFormula
-note	*	Annotation
n	NutritionOrder.oralDiet	BackboneElement
-type	*	CodeableConcept	s
-schedule	*	Timing
-nutrient	*	NutritionOrder.oralDiet.nutrient
-texture	*	NutritionOrder.oralDiet.texture
-fluidConsistencyType	*	CodeableConcept
-instruction	?	string	s
n	NutritionOrder.oralDiet.nutrient	BackboneElement
-modifier	?	CodeableConcept
-amount	?	Quantity
n	NutritionOrder.oralDiet.texture	BackboneElement
-modifier	?	CodeableConcept
-foodType	?	CodeableConcept
n	NutritionOrder.supplement	BackboneElement
-type	?	CodeableConcept	s
-productName	?	string
-schedule	*	Timing
-quantity	?	Quantity
-instruction	?	string	s
n	NutritionOrder.enteralFormula	BackboneElement
-baseFormulaType	?	CodeableConcept	s
-baseFormulaProductName	?	string
-additiveType	?	CodeableConcept
-additiveProductName	?	string
-caloricDensity	?	Quantity
-routeofAdministration	?	CodeableConcept
-administration	*	NutritionOrder.enteralFormula.administration
-maxVolumeToDeliver	?	Quantity
-administrationInstruction	?	string	s
n	NutritionOrder.enteralFormula.administration	BackboneElement
-schedule	?	Timing
-quantity	?	Quantity
-rate	?	Quantity,Ratio	x
r	Observation	DomainResource
-identifier	*	Identifier	s
-basedOn	*	Reference:CarePlan:DeviceRequest:ImmunizationRecommendation:MedicationRequest:NutritionOrder:ServiceRequest	s
-partOf	*	Reference:MedicationAdministration:MedicationDispense:MedicationStatement:Procedure:Immunization:ImagingStudy	s
-status	1	code	sm	observation-status
-category	*	CodeableConcept
-code	1	CodeableConcept	s
-subject	?	Reference:Patient:Group:Device:Location	s
-focus	*	Reference	s
-encounter	?	Reference:Encounter	s
-effective	?	dateTime,Period,Timing,instant	xs
-issued	?	instant	s
-performer	*	Reference:Practitioner:PractitionerRole:Organization:CareTeam:Patient:RelatedPerson	s
-value	?	Quantity,CodeableConcept,string,boolean,integer,Range,Ratio,SampledData,time,dateTime,Period	xs
-dataAbsentReason	?	CodeableConcept
-interpretation	*	CodeableConcept
-note	*	Annotation
-bodySite	?	CodeableConcept
-method	?	CodeableConcept
-specimen	?	Reference:Specimen
-device	?	Reference:Device:DeviceMetric
-referenceRange	*	Observation.referenceRange
-hasMember	*	Reference:Observation:QuestionnaireResponse:MolecularSequence	s
-derivedFrom	*	Reference:DocumentReference:ImagingStudy:Media:QuestionnaireResponse:Observation:MolecularSequence	s
-component	*	Observation.component	s
n	Observation.referenceRange	BackboneElement
-low	?	Quantity
-high	?	Quantity
-type	?	CodeableConcept
-appliesTo	*	CodeableConcept
-age	?	Range
-text	?	string
n	Observation.component	BackboneElement
-code	1	CodeableConcept	s
-value	?	Quantity,CodeableConcept,string,boolean,integer,Range,Ratio,SampledData,time,dateTime,Period	xs
-dataAbsentReason	?	CodeableConcept
-interpretation	*	CodeableConcept
-referenceRange	*	Observation.referenceRange
r	ObservationDefinition	DomainResource
-category	*	CodeableConcept	s
-code	1	CodeableConcept	s
-identifier	*	Identifier	s
-permittedDataType	*	code		permitted-data-type
-multipleResultsAllowed	?	boolean
-method	?	CodeableConcept
-preferredReportName	?	string
-quantitativeDetails	?	ObservationDefinition.quantitativeDetails
-qualifiedInterval	*	ObservationDefinition.qualifiedInterval
-validCodedValueSet	?	Reference:ValueSet
-normalCodedValueSet	?	Reference:ValueSet
-abnormalCodedValueSet	?	Reference:ValueSet
-criticalCodedValueSet	?	Reference:ValueSet
n	ObservationDefinition.quantitativeDetails	BackboneElement
-customaryUnit	?	CodeableConcept
-unit	?	CodeableConcept
-conversionFactor	?	decimal
-decimalPrecision	?	integer
n	ObservationDefinition.qualifiedInterval	BackboneElement
-category	?	code		observation-range-category
-range	?	Range
-context	?	CodeableConcept
-appliesTo	*	CodeableConcept
-gender	?	code		administrative-gender
-age	?	Range
-gestationalAge	?	Range
-condition	?	string
r	OperationDefinition	DomainResource
-url	?	uri	s
-version	?	string	s
-name	1	string	s
-title	?	string	s
-status	1	code	sm	publication-status
-kind	1	code	s	operation-kind
-experimental	?	boolean	s
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-affectsState	?	boolean	s
-code	1	code	s
-comment	?	markdown
-base	?	canonical:OperationDefinition	s
-resource	*	code	s	resource-types
-system	1	boolean	s
-type	1	boolean	s
-instance	1	boolean	s
-inputProfile	?	canonical:StructureDefinition
-outputProfile	?	canonical:StructureDefinition
-parameter	*	OperationDefinition.parameter
-overload	*	OperationDefinition.overload
n	OperationDefinition.parameter	BackboneElement
-name	1	code
-use	1	code		operation-parameter-use
-min	1	integer
-max	1	string
-documentation	?	string
-type	?	code		all-types
-targetProfile	*	canonical:StructureDefinition
-searchType	?	code		search-param-type
-binding	?	OperationDefinition.parameter.binding
-referencedFrom	*	OperationDefinition.parameter.referencedFrom
-part	*	OperationDefinition.parameter
n	OperationDefinition.parameter.binding	BackboneElement
-strength	1	code		binding-strength
-valueSet	1	canonical:ValueSet
n	OperationDefinition.parameter.referencedFrom	BackboneElement
-source	1	string
-sourceId	?	string
n	OperationDefinition.overload	BackboneElement
-parameterName	*	string
-comment	?	string
r	OperationOutcome	DomainResource
-issue	+	OperationOutcome.issue	s
n	OperationOutcome.issue	BackboneElement
-severity	1	code	s	issue-severity
-code	1	code	s	issue-type
-details	?	CodeableConcept	s
-diagnostics	?	string	s
-location	*	string	s
-expression	*	string	s
r	Organization	DomainResource
-identifier	*	Identifier	s
-active	?	boolean	sm
-type	*	CodeableConcept	s
-name	?	string	s
-alias	*	string
-telecom	*	ContactPoint
-address	*	Address
-partOf	?	Reference:Organization	s
-contact	*	Organization.contact
-endpoint	*	Reference:Endpoint
n	Organization.contact	BackboneElement
-purpose	?	CodeableConcept
-name	?	HumanName
-telecom	*	ContactPoint
-address	?	Address
r	OrganizationAffiliation	DomainResource
-identifier	*	Identifier	s
-active	?	boolean	s
-period	?	Period	s
-organization	?	Reference:Organization	s
-participatingOrganization	?	Reference:Organization	s
-network	*	Reference:Organization	s
-code	*	CodeableConcept	s
-specialty	*	CodeableConcept	s
-location	*	Reference:Location	s
-healthcareService	*	Reference:HealthcareService
-telecom	*	ContactPoint	s
-endpoint	*	Reference:Endpoint
t	ParameterDefinition	Element
-name	?	code	s
-use	1	code	s	operation-parameter-use
-min	?	integer	s
-max	?	string	s
-documentation	?	string	s
-type	1	code	s	all-types
-profile	?	canonical:StructureDefinition	s
r	Parameters	Resource
-parameter	*	Parameters.parameter	s
n	Parameters.parameter	BackboneElement
-name	1	string	s
-value	?	*	xs
-resource	?	Resource	s
-part	*	Parameters.parameter	s
r	Patient	DomainResource
-identifier	*	Identifier	s
-active	?	boolean	sm
-name	*	HumanName	s
-telecom	*	ContactPoint	s
-gender	?	code	s	administrative-gender
-birthDate	?	date	s
-deceased	?	boolean,dateTime	xsm
-address	*	Address	s
-maritalStatus	?	CodeableConcept
-multipleBirth	?	boolean,integer	x
-photo	*	Attachment
-contact	*	Patient.contact
-communication	*	Patient.communication
-generalPractitioner	*	Reference:Organization:Practitioner:PractitionerRole
-managingOrganization	?	Reference:Organization	s
-link	*	Patient.link	sm
n	Patient.contact	BackboneElement
-relationship	*	CodeableConcept
-name	?	HumanName
-telecom	*	ContactPoint
-address	?	Address
-gender	?	code		administrative-gender
-organization	?	Reference:Organization
-period	?	Period
n	Patient.communication	BackboneElement
-language	1	CodeableConcept
-preferred	?	boolean
n	Patient.link	BackboneElement
-other	1	Reference:Patient:RelatedPerson	s
-type	1	code	s	link-type
r	PaymentNotice	DomainResource
-identifier	*	Identifier
-status	1	code	sm	fm-status
-request	?	Reference
-response	?	Reference
-created	1	dateTime	s
-provider	?	Reference:Practitioner:PractitionerRole:Organization
-payment	1	Reference:PaymentReconciliation	s
-paymentDate	?	date
-payee	?	Reference:Practitioner:PractitionerRole:Organization
-recipient	1	Reference:Organization	s
-amount	1	Money	s
-paymentStatus	?	CodeableConcept
r	PaymentReconciliation	DomainResource
-identifier	*	Identifier
-status	1	code	sm	fm-status
-period	?	Period	s
-created	1	dateTime	s
-paymentIssuer	?	Reference:Organization	s
-request	?	Reference:Task
-requestor	?	Reference:Practitioner:PractitionerRole:Organization
-outcome	?	code		remittance-outcome
-disposition	?	string
-paymentDate	1	date	s
-paymentAmount	1	Money	s
-paymentIdentifier	?	Identifier
-detail	*	PaymentReconciliation.detail
-formCode	?	CodeableConcept
-processNote	*	PaymentReconciliation.processNote
n	PaymentReconciliation.detail	BackboneElement
-identifier	?	Identifier
-predecessor	?	Identifier
-type	1	CodeableConcept
-request	?	Reference
-submitter	?	Reference:Practitioner:PractitionerRole:Organization
-response	?	Reference
-date	?	date
-responsible	?	Reference:PractitionerRole
-payee	?	Reference:Practitioner:PractitionerRole:Organization
-amount	?	Money
n	PaymentReconciliation.processNote	BackboneElement
-type	?	code		note-type
-text	?	string
t	Period	Element
-start	?	dateTime	s
-end	?	dateTime	s
r	Person	DomainResource
-identifier	*	Identifier
-name	*	HumanName	s
-telecom	*	ContactPoint	s
-gender	?	code	s	administrative-gender
-birthDate	?	date	s
-address	*	Address
-photo	?	Attachment
-managingOrganization	?	Reference:Organization	s
-active	?	boolean	sm
-link	*	Person.link
n	Person.link	BackboneElement
-target	1	Reference:Patient:Practitioner:RelatedPerson:Person
-assurance	?	code		identity-assuranceLevel
r	PlanDefinition	DomainResource
-url	?	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-subtitle	?	string
-type	?	CodeableConcept	s
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-subject	?	CodeableConcept,Reference:Group	x
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown	s
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-usage	?	string
-copyright	?	markdown
-approvalDate	?	date
-lastReviewDate	?	date
-effectivePeriod	?	Period	s
-topic	*	CodeableConcept
-author	*	ContactDetail
-editor	*	ContactDetail
-reviewer	*	ContactDetail
-endorser	*	ContactDetail
-relatedArtifact	*	RelatedArtifact
-library	*	canonical:Library
-goal	*	PlanDefinition.goal
-action	*	PlanDefinition.action
n	PlanDefinition.goal	BackboneElement
-category	?	CodeableConcept
-description	1	CodeableConcept
-priority	?	CodeableConcept
-start	?	CodeableConcept
-addresses	*	CodeableConcept
-documentation	*	RelatedArtifact
-target	*	PlanDefinition.goal.target
n	PlanDefinition.goal.target	BackboneElement
-measure	?	CodeableConcept
-detail	?	Quantity,Range,CodeableConcept	x
-due	?	Duration
n	PlanDefinition.action	BackboneElement
-prefix	?	string
-title	?	string
-description	?	string
-textEquivalent	?	string
-priority	?	code		request-priority
-code	*	CodeableConcept
-reason	*	CodeableConcept
-documentation	*	RelatedArtifact
-goalId	*	id
-subject	?	CodeableConcept,Reference:Group	x
-trigger	*	TriggerDefinition
-condition	*	PlanDefinition.action.condition
-input	*	DataRequirement
-output	*	DataRequirement
-relatedAction	*	PlanDefinition.action.relatedAction
-timing	?	dateTime,Age,Period,Duration,Range,Timing	x
-participant	*	PlanDefinition.action.participant
-type	?	CodeableConcept
-groupingBehavior	?	code		action-grouping-behavior
-selectionBehavior	?	code		action-selection-behavior
-requiredBehavior	?	code		action-required-behavior
-precheckBehavior	?	code		action-precheck-behavior
-cardinalityBehavior	?	code		action-cardinality-behavior
-definition	?	canonical:ActivityDefinition:PlanDefinition:Questionnaire,uri	x
-transform	?	canonical:StructureMap
-dynamicValue	*	PlanDefinition.action.dynamicValue
-action	*	PlanDefinition.action
n	PlanDefinition.action.condition	BackboneElement
-kind	1	code		action-condition-kind
-expression	?	Expression
n	PlanDefinition.action.relatedAction	BackboneElement
-actionId	1	id
-relationship	1	code		action-relationship-type
-offset	?	Duration,Range	x
n	PlanDefinition.action.participant	BackboneElement
-type	1	code		action-participant-type
-role	?	CodeableConcept
n	PlanDefinition.action.dynamicValue	BackboneElement
-path	?	string
-expression	?	Expression
t	Population	BackboneElement
-age	?	Range,CodeableConcept	xs
-gender	?	CodeableConcept	s
-race	?	CodeableConcept	s
-physiologicalCondition	?	CodeableConcept	s
r	Practitioner	DomainResource
-identifier	*	Identifier	s
-active	?	boolean	s
-name	*	HumanName	s
-telecom	*	ContactPoint	s
-address	*	Address	s
-gender	?	code	s	administrative-gender
-birthDate	?	date	s
-photo	*	Attachment
-qualification	*	Practitioner.qualification
-communication	*	CodeableConcept
n	Practitioner.qualification	BackboneElement
-identifier	*	Identifier
-code	1	CodeableConcept
-period	?	Period
-issuer	?	Reference:Organization
r	PractitionerRole	DomainResource
-identifier	*	Identifier	s
-active	?	boolean	s
-period	?	Period	s
-practitioner	?	Reference:Practitioner	s
-organization	?	Reference:Organization	s
-code	*	CodeableConcept	s
-specialty	*	CodeableConcept	s
-location	*	Reference:Location	s
-healthcareService	*	Reference:HealthcareService
-telecom	*	ContactPoint	s
-availableTime	*	PractitionerRole.availableTime
-notAvailable	*	PractitionerRole.notAvailable
-availabilityExceptions	?	string
-endpoint	*	Reference:Endpoint
n	PractitionerRole.availableTime	BackboneElement
-daysOfWeek	*	code		days-of-week
-allDay	?	boolean
-availableStartTime	?	time
-availableEndTime	?	time
n	PractitionerRole.notAvailable	BackboneElement
-description	1	string
-during	?	Period
r	Procedure	DomainResource
-identifier	*	Identifier	s
-instantiatesCanonical	*	canonical:PlanDefinition:ActivityDefinition:Measure:OperationDefinition:Questionnaire	s
-instantiatesUri	*	uri	s
-basedOn	*	Reference:CarePlan:ServiceRequest	s
-partOf	*	Reference:Procedure:Observation:MedicationAdministration	s
-status	1	code	sm	event-status
-statusReason	?	CodeableConcept	s
-category	?	CodeableConcept	s
-code	?	CodeableConcept	s
-subject	1	Reference:Patient:Group	s
-encounter	?	Reference:Encounter	s
-performed	?	dateTime,Period,string,Age,Range	xs
-recorder	?	Reference:Patient:RelatedPerson:Practitioner:PractitionerRole	s
-asserter	?	Reference:Patient:RelatedPerson:Practitioner:PractitionerRole	s
-performer	*	Procedure.performer	s
-location	?	Reference:Location	s
-reasonCode	*	CodeableConcept	s
-reasonReference	*	Reference:Condition:Observation:Procedure:DiagnosticReport:DocumentReference	s
-bodySite	*	CodeableConcept	s
-outcome	?	CodeableConcept	s
-report	*	Reference:DiagnosticReport:DocumentReference:Composition
-complication	*	CodeableConcept
-complicationDetail	*	Reference:Condition
-followUp	*	CodeableConcept
-note	*	Annotation
-focalDevice	*	Procedure.focalDevice
-usedReference	*	Reference:Device:Medication:Substance
-usedCode	*	CodeableConcept
n	Procedure.performer	BackboneElement
-function	?	CodeableConcept	s
-actor	1	Reference:Practitioner:PractitionerRole:Organization:Patient:RelatedPerson:Device	s
-onBehalfOf	?	Reference:Organization
n	Procedure.focalDevice	BackboneElement
-action	?	CodeableConcept
-manipulated	1	Reference:Device
t	ProdCharacteristic	BackboneElement
-height	?	Quantity	s
-width	?	Quantity	s
-depth	?	Quantity	s
-weight	?	Quantity	s
-nominalVolume	?	Quantity	s
-externalDiameter	?	Quantity	s
-shape	?	string	s
-color	*	string	s
-imprint	*	string	s
-image	*	Attachment	s
-scoring	?	CodeableConcept	s
t	ProductShelfLife	BackboneElement
-identifier	?	Identifier	s
-type	1	CodeableConcept	s
-period	1	Quantity	s
-specialPrecautionsForStorage	*	CodeableConcept	s
r	Provenance	DomainResource
-target	+	Reference	s
-occurred	?	Period,dateTime	x
-recorded	1	instant	s
-policy	*	uri
-location	?	Reference:Location
-reason	*	CodeableConcept
-activity	?	CodeableConcept
-agent	+	Provenance.agent
-entity	*	Provenance.entity
-signature	*	Signature
n	Provenance.agent	BackboneElement
-type	?	CodeableConcept	s
-role	*	CodeableConcept
-who	1	Reference:Practitioner:PractitionerRole:RelatedPerson:Patient:Device:Organization	s
-onBehalfOf	?	Reference:Practitioner:PractitionerRole:RelatedPerson:Patient:Device:Organization
n	Provenance.entity	BackboneElement
-role	1	code	s	provenance-entity-role
-what	1	Reference	s
-agent	*	Provenance.agent
t	Quantity	Element
-value	?	decimal	s
-comparator	?	code	sm	quantity-comparator
-unit	?	string	s
-system	?	uri	s
-code	?	code	s
r	Questionnaire	DomainResource
-url	?	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-derivedFrom	*	canonical:Questionnaire
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-subjectType	*	code	s	resource-types
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-copyright	?	markdown
-approvalDate	?	date
-lastReviewDate	?	date
-effectivePeriod	?	Period	s
-code	*	Coding	s
-item	*	Questionnaire.item
n	Questionnaire.item	BackboneElement
-linkId	1	string
-definition	?	uri
-code	*	Coding
-prefix	?	string
-text	?	string
-type	1	code		item-type
-enableWhen	*	Questionnaire.item.enableWhen	m
-enableBehavior	?	code		questionnaire-enable-behavior
-required	?	boolean
-repeats	?	boolean
-readOnly	?	boolean
-maxLength	?	integer
-answerValueSet	?	canonical:ValueSet
-answerOption	*	Questionnaire.item.answerOption
-initial	*	Questionnaire.item.initial
-item	*	Questionnaire.item
n	Questionnaire.item.enableWhen	BackboneElement
-question	1	string
-operator	1	code		questionnaire-enable-operator
-answer	1	boolean,decimal,integer,date,dateTime,time,string,Coding,Quantity,Reference	x
n	Questionnaire.item.answerOption	BackboneElement
-value	1	integer,date,time,string,Coding,Reference	x
-initialSelected	?	boolean
n	Questionnaire.item.initial	BackboneElement
-value	1	boolean,decimal,integer,date,dateTime,time,string,uri,Attachment,Coding,Quantity,Reference	x
r	QuestionnaireResponse	DomainResource
-identifier	?	Identifier	s
-basedOn	*	Reference:CarePlan:ServiceRequest	s
-partOf	*	Reference:Observation:Procedure	s
-questionnaire	?	canonical:Questionnaire	s
-status	1	code	sm	questionnaire-answers-status
-subject	?	Reference	s
-encounter	?	Reference:Encounter	s
-authored	?	dateTime	s
-author	?	Reference:Device:Practitioner:PractitionerRole:Patient:RelatedPerson:Organization	s
-source	?	Reference:Patient:Practitioner:PractitionerRole:RelatedPerson	s
-item	*	QuestionnaireResponse.item
n	QuestionnaireResponse.item	BackboneElement
-linkId	1	string
-definition	?	uri
-text	?	string
-answer	*	QuestionnaireResponse.item.answer
-item	*	QuestionnaireResponse.item
n	QuestionnaireResponse.item.answer	BackboneElement
-value	?	boolean,decimal,integer,date,dateTime,time,string,uri,Attachment,Coding,Quantity,Reference	x
-item	*	QuestionnaireResponse.item
t	Range	Element
-low	?	Quantity	s
-high	?	Quantity	s
t	Ratio	Element
-numerator	?	Quantity	s
-denominator	?	Quantity	s
t	Reference	Element
-reference	?	string	s
-type	?	uri	s
-identifier	?	Identifier	s
-display	?	string	s
t	RelatedArtifact	Element
-type	1	code	s	related-artifact-type
-label	?	string	s
-display	?	string	s
-citation	?	markdown	s
-url	?	url	s
-document	?	Attachment	s
-resource	?	canonical	s
r	RelatedPerson	DomainResource
-identifier	*	Identifier	s
-active	?	boolean	sm
-patient	1	Reference:Patient	s
-relationship	*	CodeableConcept	s
-name	*	HumanName	s
-telecom	*	ContactPoint	s
-gender	?	code	s	administrative-gender
-birthDate	?	date	s
-address	*	Address	s
-photo	*	Attachment
-period	?	Period
-communication	*	RelatedPerson.communication
n	RelatedPerson.communication	BackboneElement
-language	1	CodeableConcept
-preferred	?	boolean
r	RequestGroup	DomainResource
-identifier	*	Identifier	s
-instantiatesCanonical	*	canonical	s
-instantiatesUri	*	uri	s
-basedOn	*	Reference
-replaces	*	Reference
-groupIdentifier	?	Identifier	s
-status	1	code	sm	request-status
-intent	1	code	sm	request-intent
-priority	?	code	s	request-priority
-code	?	CodeableConcept	s
-subject	?	Reference:Patient:Group
-encounter	?	Reference:Encounter
-authoredOn	?	dateTime
-author	?	Reference:Device:Practitioner:PractitionerRole
-reasonCode	*	CodeableConcept
-reasonReference	*	Reference:Condition:Observation:DiagnosticReport:DocumentReference
-note	*	Annotation
-action	*	RequestGroup.action
n	RequestGroup.action	BackboneElement
-prefix	?	string
-title	?	string
-description	?	string	s
-textEquivalent	?	string	s
-priority	?	code		request-priority
-code	*	CodeableConcept
-documentation	*	RelatedArtifact
-condition	*	RequestGroup.action.condition
-relatedAction	*	RequestGroup.action.relatedAction
-timing	?	dateTime,Age,Period,Duration,Range,Timing	x
-participant	*	Reference:Patient:Practitioner:PractitionerRole:RelatedPerson:Device
-type	?	CodeableConcept
-groupingBehavior	?	code		action-grouping-behavior
-selectionBehavior	?	code		action-selection-behavior
-requiredBehavior	?	code		action-required-behavior
-precheckBehavior	?	code		action-precheck-behavior
-cardinalityBehavior	?	code		action-cardinality-behavior
-resource	?	Reference
-action	*	RequestGroup.action
n	RequestGroup.action.condition	BackboneElement
-kind	1	code		action-condition-kind
-expression	?	Expression
n	RequestGroup.action.relatedAction	BackboneElement
-actionId	1	id
-relationship	1	code		action-relationship-type
-offset	?	Duration,Range	x
r	ResearchDefinition	DomainResource
-url	?	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-shortTitle	?	string
-subtitle	?	string
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-subject	?	CodeableConcept,Reference:Group	x
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown	s
-comment	*	string
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-usage	?	string
-copyright	?	markdown
-approvalDate	?	date
-lastReviewDate	?	date
-effectivePeriod	?	Period	s
-topic	*	CodeableConcept
-author	*	ContactDetail
-editor	*	ContactDetail
-reviewer	*	ContactDetail
-endorser	*	ContactDetail
-relatedArtifact	*	RelatedArtifact
-library	*	canonical:Library
-population	1	Reference:ResearchElementDefinition	s
-exposure	?	Reference:ResearchElementDefinition	s
-exposureAlternative	?	Reference:ResearchElementDefinition	s
-outcome	?	Reference:ResearchElementDefinition	s
r	ResearchElementDefinition	DomainResource
-url	?	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-shortTitle	?	string	s
-subtitle	?	string
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-subject	?	CodeableConcept,Reference:Group	x
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown	s
-comment	*	string
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-usage	?	string
-copyright	?	markdown
-approvalDate	?	date
-lastReviewDate	?	date
-effectivePeriod	?	Period	s
-topic	*	CodeableConcept
-author	*	ContactDetail
-editor	*	ContactDetail
-reviewer	*	ContactDetail
-endorser	*	ContactDetail
-relatedArtifact	*	RelatedArtifact
-library	*	canonical:Library
-type	1	code	s	research-element-type
-variableType	?	code		variable-type
-characteristic	+	ResearchElementDefinition.characteristic	s
n	ResearchElementDefinition.characteristic	BackboneElement
-definition	1	CodeableConcept,canonical:ValueSet,Expression,DataRequirement	xs
-usageContext	*	UsageContext
-exclude	?	boolean
-unitOfMeasure	?	CodeableConcept
-studyEffectiveDescription	?	string
-studyEffective	?	dateTime,Period,Duration,Timing	x
-studyEffectiveTimeFromStart	?	Duration
-studyEffectiveGroupMeasure	?	code		group-measure
-participantEffectiveDescription	?	string
-participantEffective	?	dateTime,Period,Duration,Timing	x
-participantEffectiveTimeFromStart	?	Duration
-participantEffectiveGroupMeasure	?	code		group-measure
r	ResearchStudy	DomainResource
-identifier	*	Identifier	s
-title	?	string	s
-protocol	*	Reference:PlanDefinition	s
-partOf	*	Reference:ResearchStudy	s
-status	1	code	sm	research-study-status
-primaryPurposeType	?	CodeableConcept	s
-phase	?	CodeableConcept	s
-category	*	CodeableConcept	s
-focus	*	CodeableConcept	s
-condition	*	CodeableConcept	s
-contact	*	ContactDetail	s
-relatedArtifact	*	RelatedArtifact
-keyword	*	CodeableConcept	s
-location	*	CodeableConcept	s
-description	?	markdown
-enrollment	*	Reference:Group	s
-period	?	Period	s
-sponsor	?	Reference:Organization	s
-principalInvestigator	?	Reference:Practitioner:PractitionerRole	s
-site	*	Reference:Location	s
-reasonStopped	?	CodeableConcept	s
-note	*	Annotation
-arm	*	ResearchStudy.arm
-objective	*	ResearchStudy.objective
n	ResearchStudy.arm	BackboneElement
-name	1	string
-type	?	CodeableConcept
-description	?	string
n	ResearchStudy.objective	BackboneElement
-name	?	string
-type	?	CodeableConcept
r	ResearchSubject	DomainResource
-identifier	*	Identifier	s
-status	1	code	sm	research-subject-status
-period	?	Period	s
-study	1	Reference:ResearchStudy	s
-individual	1	Reference:Patient	s
-assignedArm	?	string
-actualArm	?	string
-consent	?	Reference:Consent
a	Resource	
-id	?	id	s
-meta	?	Meta	s
-implicitRules	?	uri	sm
-language	?	code			languages
r	RiskAssessment	DomainResource
-identifier	*	Identifier	s
-basedOn	?	Reference
-parent	?	Reference
-status	1	code	s	observation-status
-method	?	CodeableConcept	s
-code	?	CodeableConcept	s
-subject	1	Reference:Patient:Group	s
-encounter	?	Reference:Encounter	s
-occurrence	?	dateTime,Period	xs
-condition	?	Reference:Condition	s
-performer	?	Reference:Practitioner:PractitionerRole:Device	s
-reasonCode	*	CodeableConcept
-reasonReference	*	Reference:Condition:Observation:DiagnosticReport:DocumentReference
-basis	*	Reference
-prediction	*	RiskAssessment.prediction
-mitigation	?	string
-note	*	Annotation
n	RiskAssessment.prediction	BackboneElement
-outcome	?	CodeableConcept
-probability	?	decimal,Range	x
-qualitativeRisk	?	CodeableConcept
-relativeRisk	?	decimal
-when	?	Period,Range	x
-rationale	?	string
r	RiskEvidenceSynthesis	DomainResource
-url	?	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-status	1	code	sm	publication-status
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown	s
-note	*	Annotation
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-copyright	?	markdown
-approvalDate	?	date
-lastReviewDate	?	date
-effectivePeriod	?	Period	s
-topic	*	CodeableConcept
-author	*	ContactDetail
-editor	*	ContactDetail
-reviewer	*	ContactDetail
-endorser	*	ContactDetail
-relatedArtifact	*	RelatedArtifact
-synthesisType	?	CodeableConcept
-studyType	?	CodeableConcept
-population	1	Reference:EvidenceVariable	s
-exposure	?	Reference:EvidenceVariable	s
-outcome	1	Reference:EvidenceVariable	s
-sampleSize	?	RiskEvidenceSynthesis.sampleSize
-riskEstimate	?	RiskEvidenceSynthesis.riskEstimate	s
-certainty	*	RiskEvidenceSynthesis.certainty
n	RiskEvidenceSynthesis.sampleSize	BackboneElement
-description	?	string
-numberOfStudies	?	integer
-numberOfParticipants	?	integer
n	RiskEvidenceSynthesis.riskEstimate	BackboneElement
-description	?	string
-type	?	CodeableConcept
-value	?	decimal
-unitOfMeasure	?	CodeableConcept
-denominatorCount	?	integer
-numeratorCount	?	integer
-precisionEstimate	*	RiskEvidenceSynthesis.riskEstimate.precisionEstimate
n	RiskEvidenceSynthesis.riskEstimate.precisionEstimate	BackboneElement
-type	?	CodeableConcept
-level	?	decimal
-from	?	decimal
-to	?	decimal
n	RiskEvidenceSynthesis.certainty	BackboneElement
-rating	*	CodeableConcept
-note	*	Annotation
-certaintySubcomponent	*	RiskEvidenceSynthesis.certainty.certaintySubcomponent
n	RiskEvidenceSynthesis.certainty.certaintySubcomponent	BackboneElement
-type	?	CodeableConcept
-rating	*	CodeableConcept
-note	*	Annotation
t	SampledData	Element
-origin	1	Quantity	s
-period	1	decimal	s
-factor	?	decimal	s
-lowerLimit	?	decimal	s
-upperLimit	?	decimal	s
-dimensions	1	positiveInt	s
-data	?	string
r	Schedule	DomainResource
-identifier	*	Identifier	s
-active	?	boolean	sm
-serviceCategory	*	CodeableConcept	s
-serviceType	*	CodeableConcept	s
-specialty	*	CodeableConcept	s
-actor	+	Reference:Patient:Practitioner:PractitionerRole:RelatedPerson:Device:HealthcareService:Location	s
-planningHorizon	?	Period	s
-comment	?	string
r	SearchParameter	DomainResource
-url	1	uri	s
-version	?	string	s
-name	1	string	s
-derivedFrom	?	canonical:SearchParameter
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	1	markdown	s
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-code	1	code	s
-base	+	code	s	resource-types
-type	1	code	s	search-param-type
-expression	?	string
-xpath	?	string
-xpathUsage	?	code		search-xpath-usage
-target	*	code		resource-types
-multipleOr	?	boolean
-multipleAnd	?	boolean
-comparator	*	code		search-comparator
-modifier	*	code		search-modifier-code
-chain	*	string
-component	*	SearchParameter.component
n	SearchParameter.component	BackboneElement
-definition	1	canonical:SearchParameter
-expression	1	string
r	ServiceRequest	DomainResource
-identifier	*	Identifier	s
-instantiatesCanonical	*	canonical:ActivityDefinition:PlanDefinition	s
-instantiatesUri	*	uri	s
-basedOn	*	Reference:CarePlan:ServiceRequest:MedicationRequest	s
-replaces	*	Reference:ServiceRequest	s
-requisition	?	Identifier	s
-status	1	code	sm	request-status
-intent	1	code	sm	request-intent
-category	*	CodeableConcept	s
-priority	?	code	s	request-priority
-doNotPerform	?	boolean	sm
-code	?	CodeableConcept	s
-orderDetail	*	CodeableConcept	s
-quantity	?	Quantity,Ratio,Range	xs
-subject	1	Reference:Patient:Group:Location:Device	s
-encounter	?	Reference:Encounter	s
-occurrence	?	dateTime,Period,Timing	xs
-asNeeded	?	boolean,CodeableConcept	xs
-authoredOn	?	dateTime	s
-requester	?	Reference:Practitioner:PractitionerRole:Organization:Patient:RelatedPerson:Device	s
-performerType	?	CodeableConcept	s
-performer	*	Reference:Practitioner:PractitionerRole:Organization:CareTeam:HealthcareService:Patient:Device:RelatedPerson	s
-locationCode	*	CodeableConcept	s
-locationReference	*	Reference:Location	s
-reasonCode	*	CodeableConcept	s
-reasonReference	*	Reference:Condition:Observation:DiagnosticReport:DocumentReference	s
-insurance	*	Reference:Coverage:ClaimResponse
-supportingInfo	*	Reference
-specimen	*	Reference:Specimen	s
-bodySite	*	CodeableConcept	s
-note	*	Annotation
-patientInstruction	?	string	s
-relevantHistory	*	Reference:Provenance
t	Signature	Element
-type	+	Coding	s
-when	1	instant	s
-who	1	Reference:Practitioner:PractitionerRole:RelatedPerson:Patient:Device:Organization	s
-onBehalfOf	?	Reference:Practitioner:PractitionerRole:RelatedPerson:Patient:Device:Organization	s
-targetFormat	?	code			mimetypes
-sigFormat	?	code			mimetypes
-data	?	base64Binary
r	Slot	DomainResource
-identifier	*	Identifier	s
-serviceCategory	*	CodeableConcept	s
-serviceType	*	CodeableConcept	s
-specialty	*	CodeableConcept	s
-appointmentType	?	CodeableConcept	s
-schedule	1	Reference:Schedule	s
-status	1	code	s	slotstatus
-start	1	instant	s
-end	1	instant	s
-overbooked	?	boolean
-comment	?	string
r	Specimen	DomainResource
-identifier	*	Identifier	s
-accessionIdentifier	?	Identifier	s
-status	?	code	sm	specimen-status
-type	?	CodeableConcept	s
-subject	?	Reference:Patient:Group:Device:Substance:Location	s
-receivedTime	?	dateTime	s
-parent	*	Reference:Specimen
-request	*	Reference:ServiceRequest
-collection	?	Specimen.collection
-processing	*	Specimen.processing
-container	*	Specimen.container
-condition	*	CodeableConcept	s
-note	*	Annotation
n	Specimen.collection	BackboneElement
-collector	?	Reference:Practitioner:PractitionerRole	s
-collected	?	dateTime,Period	xs
-duration	?	Duration	s
-quantity	?	Quantity
-method	?	CodeableConcept
-bodySite	?	CodeableConcept
-fastingStatus	?	CodeableConcept,Duration	xs
n	Specimen.processing	BackboneElement
-description	?	string
-procedure	?	CodeableConcept
-additive	*	Reference:Substance
-time	?	dateTime,Period	x
n	Specimen.container	BackboneElement
-identifier	*	Identifier	s
-description	?	string
-type	?	CodeableConcept
-capacity	?	Quantity
-specimenQuantity	?	Quantity
-additive	?	CodeableConcept,Reference:Substance	x
r	SpecimenDefinition	DomainResource
-identifier	?	Identifier	s
-typeCollected	?	CodeableConcept	s
-patientPreparation	*	CodeableConcept	s
-timeAspect	?	string	s
-collection	*	CodeableConcept	s
-typeTested	*	SpecimenDefinition.typeTested
n	SpecimenDefinition.typeTested	BackboneElement
-isDerived	?	boolean
-type	?	CodeableConcept
-preference	1	code		specimen-contained-preference
-container	?	SpecimenDefinition.typeTested.container
-requirement	?	string
-retentionTime	?	Duration
-rejectionCriterion	*	CodeableConcept
-handling	*	SpecimenDefinition.typeTested.handling
n	SpecimenDefinition.typeTested.container	BackboneElement
-material	?	CodeableConcept
-type	?	CodeableConcept
-cap	?	CodeableConcept
-description	?	string
-capacity	?	Quantity
-minimumVolume	?	Quantity,string	x
-additive	*	SpecimenDefinition.typeTested.container.additive
-preparation	?	string
n	SpecimenDefinition.typeTested.container.additive	BackboneElement
-additive	1	CodeableConcept,Reference:Substance	x
n	SpecimenDefinition.typeTested.handling	BackboneElement
-temperatureQualifier	?	CodeableConcept
-temperatureRange	?	Range
-maxDuration	?	Duration
-instruction	?	string
r	StructureDefinition	DomainResource
-url	1	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	1	string	s
-title	?	string	s
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-copyright	?	markdown
-keyword	*	Coding	s
-fhirVersion	?	code	s	FHIR-version
-mapping	*	StructureDefinition.mapping
-kind	1	code	s	structure-definition-kind
-abstract	1	boolean	s
-context	*	StructureDefinition.context	s
-contextInvariant	*	string	s
-type	1	uri	s
-baseDefinition	?	canonical:StructureDefinition	s
-derivation	?	code	s	type-derivation-rule
-snapshot	?	StructureDefinition.snapshot
-differential	?	StructureDefinition.differential
n	StructureDefinition.mapping	BackboneElement
-identity	1	id
-uri	?	uri
-name	?	string
-comment	?	string
n	StructureDefinition.context	BackboneElement
-type	1	code	s	extension-context-type
-expression	1	string	s
n	StructureDefinition.snapshot	BackboneElement
-element	+	ElementDefinition
n	StructureDefinition.differential	BackboneElement
-element	+	ElementDefinition
r	StructureMap	DomainResource
-url	1	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	1	string	s
-title	?	string	s
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-copyright	?	markdown
-structure	*	StructureMap.structure	s
-import	*	canonical:StructureMap	s
-group	+	StructureMap.group	s
n	StructureMap.structure	BackboneElement
-url	1	canonical:StructureDefinition	s
-mode	1	code	s	map-model-mode
-alias	?	string	s
-documentation	?	string
n	StructureMap.group	BackboneElement
-name	1	id	s
-extends	?	id	s
-typeMode	1	code	s	map-group-type-mode
-documentation	?	string	s
-input	+	StructureMap.group.input	s
-rule	+	StructureMap.group.rule	s
n	StructureMap.group.input	BackboneElement
-name	1	id	s
-type	?	string	s
-mode	1	code	s	map-input-mode
-documentation	?	string
n	StructureMap.group.rule	BackboneElement
-name	1	id	s
-source	+	StructureMap.group.rule.source	s
-target	*	StructureMap.group.rule.target	s
-rule	*	StructureMap.group.rule	s
-dependent	*	StructureMap.group.rule.dependent	s
-documentation	?	string
n	StructureMap.group.rule.source	BackboneElement
-context	1	id	s
-min	?	integer	s
-max	?	string	s
-type	?	string	s
-defaultValue	?	*	xs
-element	?	string	s
-listMode	?	code	s	map-source-list-mode
-variable	?	id	s
-condition	?	string	s
-check	?	string	s
-logMessage	?	string	s
n	StructureMap.group.rule.target	BackboneElement
-context	?	id	s
-contextType	?	code	s	map-context-type
-element	?	string	s
-variable	?	id	s
-listMode	*	code	s	map-target-list-mode
-listRuleId	?	id	s
-transform	?	code	s	map-transform
-parameter	*	StructureMap.group.rule.target.parameter	s
n	StructureMap.group.rule.target.parameter	BackboneElement
-value	1	id,string,boolean,integer,decimal	xs
n	StructureMap.group.rule.dependent	BackboneElement
-name	1	id	s
-variable	+	string	s
r	Subscription	DomainResource
-status	1	code	sm	subscription-status
-contact	*	ContactPoint	s
-end	?	instant	s
-reason	1	string	s
-criteria	1	string	s
-error	?	string	s
-channel	1	Subscription.channel	s
n	Subscription.channel	BackboneElement
-type	1	code	s	subscription-channel-type
-endpoint	?	url	s
-payload	?	code	s		mimetypes
-header	*	string	s
r	Substance	DomainResource
-identifier	*	Identifier	s
-status	?	code	sm	substance-status
-category	*	CodeableConcept	s
-code	1	CodeableConcept	s
-description	?	string	s
-instance	*	Substance.instance	s
-ingredient	*	Substance.ingredient	s
n	Substance.instance	BackboneElement
-identifier	?	Identifier	s
-expiry	?	dateTime	s
-quantity	?	Quantity	s
n	Substance.ingredient	BackboneElement
-quantity	?	Ratio	s
-substance	1	CodeableConcept,Reference:Substance	xs
t	SubstanceAmount	BackboneElement
-amount	?	Quantity,Range,string	xs
-amountType	?	CodeableConcept	s
-amountText	?	string	s
-referenceRange	?	SubstanceAmount.referenceRange	s
n	SubstanceAmount.referenceRange	Element
-lowLimit	?	Quantity	s
-highLimit	?	Quantity	s
r	SubstanceNucleicAcid	DomainResource
-sequenceType	?	CodeableConcept	s
-numberOfSubunits	?	integer	s
-areaOfHybridisation	?	string	s
-oligoNucleotideType	?	CodeableConcept	s
-subunit	*	SubstanceNucleicAcid.subunit	s
n	SubstanceNucleicAcid.subunit	BackboneElement
-subunit	?	integer	s
-sequence	?	string	s
-length	?	integer	s
-sequenceAttachment	?	Attachment	s
-fivePrime	?	CodeableConcept	s
-threePrime	?	CodeableConcept	s
-linkage	*	SubstanceNucleicAcid.subunit.linkage	s
-sugar	*	SubstanceNucleicAcid.subunit.sugar	s
n	SubstanceNucleicAcid.subunit.linkage	BackboneElement
-connectivity	?	string	s
-identifier	?	Identifier	s
-name	?	string	s
-residueSite	?	string	s
n	SubstanceNucleicAcid.subunit.sugar	BackboneElement
-identifier	?	Identifier	s
-name	?	string	s
-residueSite	?	string	s
r	SubstancePolymer	DomainResource
-class	?	CodeableConcept	s
-geometry	?	CodeableConcept	s
-copolymerConnectivity	*	CodeableConcept	s
-modification	*	string	s
-monomerSet	*	SubstancePolymer.monomerSet	s
-repeat	*	SubstancePolymer.repeat	s
n	SubstancePolymer.monomerSet	BackboneElement
-ratioType	?	CodeableConcept	s
-startingMaterial	*	SubstancePolymer.monomerSet.startingMaterial	s
n	SubstancePolymer.monomerSet.startingMaterial	BackboneElement
-material	?	CodeableConcept	s
-type	?	CodeableConcept	s
-isDefining	?	boolean	s
-amount	?	SubstanceAmount	s
n	SubstancePolymer.repeat	BackboneElement
-numberOfUnits	?	integer	s
-averageMolecularFormula	?	string	s
-repeatUnitAmountType	?	CodeableConcept	s
-repeatUnit	*	SubstancePolymer.repeat.repeatUnit	s
n	SubstancePolymer.repeat.repeatUnit	BackboneElement
-orientationOfPolymerisation	?	CodeableConcept	s
-repeatUnit	?	string	s
-amount	?	SubstanceAmount	s
-degreeOfPolymerisation	*	SubstancePolymer.repeat.repeatUnit.degreeOfPolymerisation	s
-structuralRepresentation	*	SubstancePolymer.repeat.repeatUnit.structuralRepresentation	s
n	SubstancePolymer.repeat.repeatUnit.degreeOfPolymerisation	BackboneElement
-degree	?	CodeableConcept	s
-amount	?	SubstanceAmount	s
n	SubstancePolymer.repeat.repeatUnit.structuralRepresentation	BackboneElement
-type	?	CodeableConcept	s
-representation	?	string	s
-attachment	?	Attachment	s
r	SubstanceProtein	DomainResource
-sequenceType	?	CodeableConcept	s
-numberOfSubunits	?	integer	s
-disulfideLinkage	*	string	s
-subunit	*	SubstanceProtein.subunit	s
n	SubstanceProtein.subunit	BackboneElement
-subunit	?	integer	s
-sequence	?	string	s
-length	?	integer	s
-sequenceAttachment	?	Attachment	s
-nTerminalModificationId	?	Identifier	s
-nTerminalModification	?	string	s
-cTerminalModificationId	?	Identifier	s
-cTerminalModification	?	string	s
r	SubstanceReferenceInformation	DomainResource
-comment	?	string	s
-gene	*	SubstanceReferenceInformation.gene	s
-geneElement	*	SubstanceReferenceInformation.geneElement	s
-classification	*	SubstanceReferenceInformation.classification	s
-target	*	SubstanceReferenceInformation.target	s
n	SubstanceReferenceInformation.gene	BackboneElement
-geneSequenceOrigin	?	CodeableConcept	s
-gene	?	CodeableConcept	s
-source	*	Reference:DocumentReference	s
n	SubstanceReferenceInformation.geneElement	BackboneElement
-type	?	CodeableConcept	s
-element	?	Identifier	s
-source	*	Reference:DocumentReference	s
n	SubstanceReferenceInformation.classification	BackboneElement
-domain	?	CodeableConcept	s
-classification	?	CodeableConcept	s
-subtype	*	CodeableConcept	s
-source	*	Reference:DocumentReference	s
n	SubstanceReferenceInformation.target	BackboneElement
-target	?	Identifier	s
-type	?	CodeableConcept	s
-interaction	?	CodeableConcept	s
-organism	?	CodeableConcept	s
-organismType	?	CodeableConcept	s
-amount	?	Quantity,Range,string	xs
-amountType	?	CodeableConcept	s
-source	*	Reference:DocumentReference	s
r	SubstanceSourceMaterial	DomainResource
-sourceMaterialClass	?	CodeableConcept	s
-sourceMaterialType	?	CodeableConcept	s
-sourceMaterialState	?	CodeableConcept	s
-organismId	?	Identifier	s
-organismName	?	string	s
-parentSubstanceId	*	Identifier	s
-parentSubstanceName	*	string	s
-countryOfOrigin	*	CodeableConcept	s
-geographicalLocation	*	string	s
-developmentStage	?	CodeableConcept	s
-fractionDescription	*	SubstanceSourceMaterial.fractionDescription	s
-organism	?	SubstanceSourceMaterial.organism	s
-partDescription	*	SubstanceSourceMaterial.partDescription	s
n	SubstanceSourceMaterial.fractionDescription	BackboneElement
-fraction	?	string	s
-materialType	?	CodeableConcept	s
n	SubstanceSourceMaterial.organism	BackboneElement
-family	?	CodeableConcept	s
-genus	?	CodeableConcept	s
-species	?	CodeableConcept	s
-intraspecificType	?	CodeableConcept	s
-intraspecificDescription	?	string	s
-author	*	SubstanceSourceMaterial.organism.author	s
-hybrid	?	SubstanceSourceMaterial.organism.hybrid	s
-organismGeneral	?	SubstanceSourceMaterial.organism.organismGeneral	s
n	SubstanceSourceMaterial.organism.author	BackboneElement
-authorType	?	CodeableConcept	s
-authorDescription	?	string	s
n	SubstanceSourceMaterial.organism.hybrid	BackboneElement
-maternalOrganismId	?	string	s
-maternalOrganismName	?	string	s
-paternalOrganismId	?	string	s
-paternalOrganismName	?	string	s
-hybridType	?	CodeableConcept	s
n	SubstanceSourceMaterial.organism.organismGeneral	BackboneElement
-kingdom	?	CodeableConcept	s
-phylum	?	CodeableConcept	s
-class	?	CodeableConcept	s
-order	?	CodeableConcept	s
n	SubstanceSourceMaterial.partDescription	BackboneElement
-part	?	CodeableConcept	s
-partLocation	?	CodeableConcept	s
r	SubstanceSpecification	DomainResource
-identifier	?	Identifier	s
-type	?	CodeableConcept	s
-status	?	CodeableConcept	s
-domain	?	CodeableConcept	s
-description	?	string	s
-source	*	Reference:DocumentReference	s
-comment	?	string	s
-moiety	*	SubstanceSpecification.moiety	s
-property	*	SubstanceSpecification.property	s
-referenceInformation	?	Reference:SubstanceReferenceInformation	s
-structure	?	SubstanceSpecification.structure	s
-code	*	SubstanceSpecification.code	s
-name	*	SubstanceSpecification.name	s
-molecularWeight	*	SubstanceSpecification.structure.isotope.molecularWeight	s
-relationship	*	SubstanceSpecification.relationship	s
-nucleicAcid	?	Reference:SubstanceNucleicAcid	s
-polymer	?	Reference:SubstancePolymer	s
-protein	?	Reference:SubstanceProtein	s
-sourceMaterial	?	Reference:SubstanceSourceMaterial	s
n	SubstanceSpecification.moiety	BackboneElement
-role	?	CodeableConcept	s
-identifier	?	Identifier	s
-name	?	string	s
-stereochemistry	?	CodeableConcept	s
-opticalActivity	?	CodeableConcept	s
-molecularFormula	?	string	s
-amount	?	Quantity,string	xs
n	SubstanceSpecification.property	BackboneElement
-category	?	CodeableConcept	s
-code	?	CodeableConcept	s
-parameters	?	string	s
-definingSubstance	?	Reference:SubstanceSpecification:Substance,CodeableConcept	xs
-amount	?	Quantity,string	xs
n	SubstanceSpecification.structure	BackboneElement
-stereochemistry	?	CodeableConcept	s
-opticalActivity	?	CodeableConcept	s
-molecularFormula	?	string	s
-molecularFormulaByMoiety	?	string	s
-isotope	*	SubstanceSpecification.structure.isotope	s
-molecularWeight	?	SubstanceSpecification.structure.isotope.molecularWeight	s
-source	*	Reference:DocumentReference	s
-representation	*	SubstanceSpecification.structure.representation	s
n	SubstanceSpecification.structure.isotope	BackboneElement
-identifier	?	Identifier	s
-name	?	CodeableConcept	s
-substitution	?	CodeableConcept	s
-halfLife	?	Quantity	s
-molecularWeight	?	SubstanceSpecification.structure.isotope.molecularWeight	s
n	SubstanceSpecification.structure.isotope.molecularWeight	BackboneElement
-method	?	CodeableConcept	s
-type	?	CodeableConcept	s
-amount	?	Quantity	s
n	SubstanceSpecification.structure.representation	BackboneElement
-type	?	CodeableConcept	s
-representation	?	string	s
-attachment	?	Attachment	s
n	SubstanceSpecification.code	BackboneElement
-code	?	CodeableConcept	s
-status	?	CodeableConcept	s
-statusDate	?	dateTime	s
-comment	?	string	s
-source	*	Reference:DocumentReference	s
n	SubstanceSpecification.name	BackboneElement
-name	1	string	s
-type	?	CodeableConcept	s
-status	?	CodeableConcept	s
-preferred	?	boolean	s
-language	*	CodeableConcept	s
-domain	*	CodeableConcept	s
-jurisdiction	*	CodeableConcept	s
-synonym	*	SubstanceSpecification.name	s
-translation	*	SubstanceSpecification.name	s
-official	*	SubstanceSpecification.name.official	s
-source	*	Reference:DocumentReference	s
n	SubstanceSpecification.name.official	BackboneElement
-authority	?	CodeableConcept	s
-status	?	CodeableConcept	s
-date	?	dateTime	s
n	SubstanceSpecification.relationship	BackboneElement
-substance	?	Reference:SubstanceSpecification,CodeableConcept	xs
-relationship	?	CodeableConcept	s
-isDefining	?	boolean	s
-amount	?	Quantity,Range,Ratio,string	xs
-amountRatioLowLimit	?	Ratio	s
-amountType	?	CodeableConcept	s
-source	*	Reference:DocumentReference	s
r	SupplyDelivery	DomainResource
-identifier	*	Identifier
-basedOn	*	Reference:SupplyRequest	s
-partOf	*	Reference:SupplyDelivery:Contract	s
-status	?	code	sm	supplydelivery-status
-patient	?	Reference:Patient
-type	?	CodeableConcept
-suppliedItem	?	SupplyDelivery.suppliedItem
-occurrence	?	dateTime,Period,Timing	xs
-supplier	?	Reference:Practitioner:PractitionerRole:Organization
-destination	?	Reference:Location
-receiver	*	Reference:Practitioner:PractitionerRole
n	SupplyDelivery.suppliedItem	BackboneElement
-quantity	?	Quantity
-item	?	CodeableConcept,Reference:Medication:Substance:Device	x
r	SupplyRequest	DomainResource
-identifier	*	Identifier	s
-status	?	code	sm	supplyrequest-status
-category	?	CodeableConcept	s
-priority	?	code	s	request-priority
-item	1	CodeableConcept,Reference:Medication:Substance:Device	xs
-quantity	1	Quantity	s
-parameter	*	SupplyRequest.parameter
-occurrence	?	dateTime,Period,Timing	xs
-authoredOn	?	dateTime	s
-requester	?	Reference:Practitioner:PractitionerRole:Organization:Patient:RelatedPerson:Device	s
-supplier	*	Reference:Organization:HealthcareService	s
-reasonCode	*	CodeableConcept
-reasonReference	*	Reference:Condition:Observation:DiagnosticReport:DocumentReference
-deliverFrom	?	Reference:Organization:Location
-deliverTo	?	Reference:Organization:Location:Patient
n	SupplyRequest.parameter	BackboneElement
-code	?	CodeableConcept
-value	?	CodeableConcept,Quantity,Range,boolean	x
r	Task	DomainResource
-identifier	*	Identifier
-instantiatesCanonical	?	canonical:ActivityDefinition	s
-instantiatesUri	?	uri	s
-basedOn	*	Reference	s
-groupIdentifier	?	Identifier	s
-partOf	*	Reference:Task	s
-status	1	code	sm	task-status
-statusReason	?	CodeableConcept	s
-businessStatus	?	CodeableConcept	s
-intent	1	code	s	task-intent
-priority	?	code		request-priority
-code	?	CodeableConcept	s
-description	?	string	s
-focus	?	Reference	s
-for	?	Reference	s
-encounter	?	Reference:Encounter	s
-executionPeriod	?	Period	s
-authoredOn	?	dateTime
-lastModified	?	dateTime	s
-requester	?	Reference:Device:Organization:Patient:Practitioner:PractitionerRole:RelatedPerson	s
-performerType	*	CodeableConcept
-owner	?	Reference:Practitioner:PractitionerRole:Organization:CareTeam:HealthcareService:Patient:Device:RelatedPerson	s
-location	?	Reference:Location	s
-reasonCode	?	CodeableConcept
-reasonReference	?	Reference
-insurance	*	Reference:Coverage:ClaimResponse
-note	*	Annotation
-relevantHistory	*	Reference:Provenance
-restriction	?	Task.restriction
-input	*	Task.input
-output	*	Task.output
n	Task.restriction	BackboneElement
-repetitions	?	positiveInt
-period	?	Period
-recipient	*	Reference:Patient:Practitioner:PractitionerRole:RelatedPerson:Group:Organization
n	Task.input	BackboneElement
-type	1	CodeableConcept
-value	1	*	x
n	Task.output	BackboneElement
-type	1	CodeableConcept
-value	1	*	x
r	TerminologyCapabilities	DomainResource
-url	?	uri	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-date	1	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-copyright	?	markdown	s
-kind	1	code	s	capability-statement-kind
-software	?	TerminologyCapabilities.software	s
-implementation	?	TerminologyCapabilities.implementation	s
-lockedDate	?	boolean	s
-codeSystem	*	TerminologyCapabilities.codeSystem
-expansion	?	TerminologyCapabilities.expansion
-codeSearch	?	code		code-search-support
-validateCode	?	TerminologyCapabilities.validateCode
-translation	?	TerminologyCapabilities.translation
-closure	?	TerminologyCapabilities.closure
n	TerminologyCapabilities.software	BackboneElement
-name	1	string	s
-version	?	string	s
n	TerminologyCapabilities.implementation	BackboneElement
-description	1	string	s
-url	?	url	s
n	TerminologyCapabilities.codeSystem	BackboneElement
-uri	?	canonical:CodeSystem
-version	*	TerminologyCapabilities.codeSystem.version
-subsumption	?	boolean
n	TerminologyCapabilities.codeSystem.version	BackboneElement
-code	?	string	s
-isDefault	?	boolean	s
-compositional	?	boolean
-language	*	code
-filter	*	TerminologyCapabilities.codeSystem.version.filter
-property	*	code
n	TerminologyCapabilities.codeSystem.version.filter	BackboneElement
-code	1	code
-op	+	code
n	TerminologyCapabilities.expansion	BackboneElement
-hierarchical	?	boolean
-paging	?	boolean
-incomplete	?	boolean
-parameter	*	TerminologyCapabilities.expansion.parameter
-textFilter	?	markdown
n	TerminologyCapabilities.expansion.parameter	BackboneElement
-name	1	code
-documentation	?	string
n	TerminologyCapabilities.validateCode	BackboneElement
-translations	1	boolean
n	TerminologyCapabilities.translation	BackboneElement
-needsMap	1	boolean
n	TerminologyCapabilities.closure	BackboneElement
-translation	?	boolean
r	TestReport	DomainResource
-identifier	?	Identifier	s
-name	?	string	s
-status	1	code	sm	report-status-codes
-testScript	1	Reference:TestScript	s
-result	1	code	s	report-result-codes
-score	?	decimal	s
-tester	?	string	s
-issued	?	dateTime	s
-participant	*	TestReport.participant
-setup	?	TestReport.setup
-test	*	TestReport.test
-teardown	?	TestReport.teardown
n	TestReport.participant	BackboneElement
-type	1	code		report-participant-type
-uri	1	uri
-display	?	string
n	TestReport.setup	BackboneElement
-action	+	TestReport.setup.action
n	TestReport.setup.action	BackboneElement
-operation	?	TestReport.setup.action.operation
-assert	?	TestReport.setup.action.assert
n	TestReport.setup.action.operation	BackboneElement
-result	1	code		report-action-result-codes
-message	?	markdown
-detail	?	uri
n	TestReport.setup.action.assert	BackboneElement
-result	1	code		report-action-result-codes
-message	?	markdown
-detail	?	string
n	TestReport.test	BackboneElement
-name	?	string
-description	?	string
-action	+	TestReport.test.action
n	TestReport.test.action	BackboneElement
-operation	?	TestReport.setup.action.operation
-assert	?	TestReport.setup.action.assert
n	TestReport.teardown	BackboneElement
-action	+	TestReport.teardown.action
n	TestReport.teardown.action	BackboneElement
-operation	1	TestReport.setup.action.operation
r	TestScript	DomainResource
-url	1	uri	s
-identifier	?	Identifier	s
-version	?	string	s
-name	1	string	s
-title	?	string	s
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-purpose	?	markdown
-copyright	?	markdown
-origin	*	TestScript.origin
-destination	*	TestScript.destination
-metadata	?	TestScript.metadata
-fixture	*	TestScript.fixture
-profile	*	Reference
-variable	*	TestScript.variable
-setup	?	TestScript.setup
-test	*	TestScript.test
-teardown	?	TestScript.teardown
n	TestScript.origin	BackboneElement
-index	1	integer
-profile	1	Coding
n	TestScript.destination	BackboneElement
-index	1	integer
-profile	1	Coding
n	TestScript.metadata	BackboneElement
-link	*	TestScript.metadata.link
-capability	+	TestScript.metadata.capability
n	TestScript.metadata.link	BackboneElement
-url	1	uri
-description	?	string
n	TestScript.metadata.capability	BackboneElement
-required	1	boolean
-validated	1	boolean
-description	?	string
-origin	*	integer
-destination	?	integer
-link	*	uri
-capabilities	1	canonical:CapabilityStatement
n	TestScript.fixture	BackboneElement
-autocreate	1	boolean
-autodelete	1	boolean
-resource	?	Reference
n	TestScript.variable	BackboneElement
-name	1	string
-defaultValue	?	string
-description	?	string
-expression	?	string
-headerField	?	string
-hint	?	string
-path	?	string
-sourceId	?	id
n	TestScript.setup	BackboneElement
-action	+	TestScript.setup.action
n	TestScript.setup.action	BackboneElement
-operation	?	TestScript.setup.action.operation
-assert	?	TestScript.setup.action.assert
n	TestScript.setup.action.operation	BackboneElement
-type	?	Coding
-resource	?	code		defined-types
-label	?	string
-description	?	string
-accept	?	code			mimetypes
-contentType	?	code			mimetypes
-destination	?	integer
-encodeRequestUrl	1	boolean
-method	?	code		http-operations
-origin	?	integer
-params	?	string
-requestHeader	*	TestScript.setup.action.operation.requestHeader
-requestId	?	id
-responseId	?	id
-sourceId	?	id
-targetId	?	id
-url	?	string
n	TestScript.setup.action.operation.requestHeader	BackboneElement
-field	1	string
-value	1	string
n	TestScript.setup.action.assert	BackboneElement
-label	?	string
-description	?	string
-direction	?	code		assert-direction-codes
-compareToSourceId	?	string
-compareToSourceExpression	?	string
-compareToSourcePath	?	string
-contentType	?	code			mimetypes
-expression	?	string
-headerField	?	string
-minimumId	?	string
-navigationLinks	?	boolean
-operator	?	code		assert-operator-codes
-path	?	string
-requestMethod	?	code		http-operations
-requestURL	?	string
-resource	?	code		defined-types
-response	?	code		assert-response-code-types
-responseCode	?	string
-sourceId	?	id
-validateProfileId	?	id
-value	?	string
-warningOnly	1	boolean
n	TestScript.test	BackboneElement
-name	?	string
-description	?	string
-action	+	TestScript.test.action
n	TestScript.test.action	BackboneElement
-operation	?	TestScript.setup.action.operation
-assert	?	TestScript.setup.action.assert
n	TestScript.teardown	BackboneElement
-action	+	TestScript.teardown.action
n	TestScript.teardown.action	BackboneElement
-operation	1	TestScript.setup.action.operation
t	Timing	BackboneElement
-event	*	dateTime	s
-repeat	?	Timing.repeat	s
-code	?	CodeableConcept	s
n	Timing.repeat	Element
-bounds	?	Duration,Range,Period	xs
-count	?	positiveInt	s
-countMax	?	positiveInt	s
-duration	?	decimal	s
-durationMax	?	decimal	s
-durationUnit	?	code	s	units-of-time
-frequency	?	positiveInt	s
-frequencyMax	?	positiveInt	s
-period	?	decimal	s
-periodMax	?	decimal	s
-periodUnit	?	code	s	units-of-time
-dayOfWeek	*	code	s	days-of-week
-timeOfDay	*	time	s
-when	*	code	s	event-timing
-offset	?	unsignedInt	s
t	TriggerDefinition	Element
-type	1	code	s	trigger-type
-name	?	string	s
-timing	?	Timing,Reference:Schedule,date,dateTime	xs
-data	*	DataRequirement	s
-condition	?	Expression	s
t	UsageContext	Element
-code	1	Coding	s
-value	1	CodeableConcept,Quantity,Range,Reference:PlanDefinition:ResearchStudy:InsurancePlan:HealthcareService:Group:Location:Organization	xs
r	ValueSet	DomainResource
-url	?	uri	s
-identifier	*	Identifier	s
-version	?	string	s
-name	?	string	s
-title	?	string	s
-status	1	code	sm	publication-status
-experimental	?	boolean	s
-date	?	dateTime	s
-publisher	?	string	s
-contact	*	ContactDetail	s
-description	?	markdown
-useContext	*	UsageContext	s
-jurisdiction	*	CodeableConcept	s
-immutable	?	boolean	s
-purpose	?	markdown
-copyright	?	markdown
-compose	?	ValueSet.compose
-expansion	?	ValueSet.expansion
n	ValueSet.compose	BackboneElement
-lockedDate	?	date	s
-inactive	?	boolean	s
-include	+	ValueSet.compose.include	s
-exclude	*	ValueSet.compose.include
n	ValueSet.compose.include	BackboneElement
-system	?	uri	s
-version	?	string	s
-concept	*	ValueSet.compose.include.concept
-filter	*	ValueSet.compose.include.filter	s
-valueSet	*	canonical:ValueSet	s
n	ValueSet.compose.include.concept	BackboneElement
-code	1	code
-display	?	string
-designation	*	ValueSet.compose.include.concept.designation
n	ValueSet.compose.include.concept.designation	BackboneElement
-language	?	code			languages
-use	?	Coding
-value	1	string
n	ValueSet.compose.include.filter	BackboneElement
-property	1	code	s
-op	1	code	s	filter-operator
-value	1	string	s
n	ValueSet.expansion	BackboneElement
-identifier	?	uri
-timestamp	1	dateTime
-total	?	integer
-offset	?	integer
-parameter	*	ValueSet.expansion.parameter
-contains	*	ValueSet.expansion.contains
n	ValueSet.expansion.parameter	BackboneElement
-name	1	string
-value	?	string,boolean,integer,decimal,uri,code,dateTime	x
n	ValueSet.expansion.contains	BackboneElement
-system	?	uri
-abstract	?	boolean
-inactive	?	boolean
-version	?	string
-code	?	code
-display	?	string
-designation	*	ValueSet.compose.include.concept.designation
-contains	*	ValueSet.expansion.contains
r	VerificationResult	DomainResource
-target	*	Reference	s
-targetLocation	*	string	s
-need	?	CodeableConcept	s
-status	1	code	s	verificationresult-status
-statusDate	?	dateTime	s
-validationType	?	CodeableConcept	s
-validationProcess	*	CodeableConcept	s
-frequency	?	Timing
-lastPerformed	?	dateTime
-nextScheduled	?	date
-failureAction	?	CodeableConcept	s
-primarySource	*	VerificationResult.primarySource
-attestation	?	VerificationResult.attestation
-validator	*	VerificationResult.validator
n	VerificationResult.primarySource	BackboneElement
-who	?	Reference:Organization:Practitioner:PractitionerRole
-type	*	CodeableConcept	s
-communicationMethod	*	CodeableConcept	s
-validationStatus	?	CodeableConcept
-validationDate	?	dateTime
-canPushUpdates	?	CodeableConcept	s
-pushTypeAvailable	*	CodeableConcept
n	VerificationResult.attestation	BackboneElement
-who	?	Reference:Practitioner:PractitionerRole:Organization	s
-onBehalfOf	?	Reference:Organization:Practitioner:PractitionerRole	s
-communicationMethod	?	CodeableConcept	s
-date	?	date	s
-sourceIdentityCertificate	?	string
-proxyIdentityCertificate	?	string
-proxySignature	?	Signature
-sourceSignature	?	Signature
n	VerificationResult.validator	BackboneElement
-organization	1	Reference:Organization
-identityCertificate	?	string
-attestationSignature	?	Signature
r	VisionPrescription	DomainResource
-identifier	*	Identifier
-status	1	code	sm	fm-status
-created	1	dateTime	s
-patient	1	Reference:Patient	s
-encounter	?	Reference:Encounter
-dateWritten	1	dateTime	s
-prescriber	1	Reference:Practitioner:PractitionerRole	s
-lensSpecification	+	VisionPrescription.lensSpecification	s
n	VisionPrescription.lensSpecification	BackboneElement
-product	1	CodeableConcept	s
-eye	1	code	s	vision-eye-codes
-sphere	?	decimal
-cylinder	?	decimal
-axis	?	integer
-prism	*	VisionPrescription.lensSpecification.prism
-add	?	decimal
-power	?	decimal
-backCurve	?	decimal
-diameter	?	decimal
-duration	?	Quantity
-color	?	string
-brand	?	string
-note	*	Annotation
n	VisionPrescription.lensSpecification.prism	BackboneElement
-amount	1	decimal
-base	1	code		vision-base-codes
p	base64Binary	Element
p	boolean	Element
p	canonical	Element
p	code	Element
p	date	Element
p	dateTime	Element
p	decimal	Element
p	id	Element
p	instant	Element
p	integer	Element
p	markdown	Element
p	oid	Element
p	positiveInt	Element
p	string	Element
p	time	Element
p	unsignedInt	Element
p	uri	Element
p	url	Element
p	uuid	Element
p	xhtml	Element
o	*	base64Binary,boolean,canonical,code,date,dateTime,decimal,id,instant,integer,markdown,oid,positiveInt,string,time,unsignedInt,uri,url,uuid,Address,Age,Annotation,Attachment,CodeableConcept,Coding,ContactPoint,Count,Distance,Duration,HumanName,Identifier,Money,Period,Quantity,Range,Ratio,Reference,SampledData,Signature,Timing,ContactDetail,Contributor,DataRequirement,Expression,ParameterDefinition,RelatedArtifact,TriggerDefinition,UsageContext,Dosage,Meta
"""#
    static let valueSets = #"""
FHIR-version	0.01	0.05	0.06	0.11	0.0.80	0.0.81	0.0.82	0.4.0	0.5.0	1.0.0	1.0.1	1.0.2	1.1.0	1.4.0	1.6.0	1.8.0	3.0.0	3.0.1	3.3.0	3.5.0	4.0.0	4.0.1
account-status	active	inactive	entered-in-error	on-hold	unknown
action-cardinality-behavior	single	multiple
action-condition-kind	applicability	start	stop
action-grouping-behavior	visual-group	logical-group	sentence-group
action-participant-type	patient	practitioner	related-person	device
action-precheck-behavior	yes	no
action-relationship-type	before-start	before	before-end	concurrent-with-start	concurrent	concurrent-with-end	after-start	after	after-end
action-required-behavior	must	could	must-unless-documented
action-selection-behavior	any	all	all-or-none	exactly-one	at-most-one	one-or-more
address-type	postal	physical	both
address-use	home	work	temp	old	billing
administrative-gender	male	female	other	unknown
adverse-event-actuality	actual	potential
all-types	Address	Age	Annotation	Attachment	BackboneElement	CodeableConcept	Coding	ContactDetail	ContactPoint	Contributor	Count	DataRequirement	Distance	Dosage	Duration	Element	ElementDefinition	Expression	Extension	HumanName	Identifier	MarketingStatus	Meta	Money	MoneyQuantity	Narrative	ParameterDefinition	Period	Population	ProdCharacteristic	ProductShelfLife	Quantity	Range	Ratio	Reference	RelatedArtifact	SampledData	Signature	SimpleQuantity	SubstanceAmount	Timing	TriggerDefinition	UsageContext	base64Binary	boolean	canonical	code	date	dateTime	decimal	id	instant	integer	markdown	oid	positiveInt	string	time	unsignedInt	uri	url	uuid	xhtml	Account	ActivityDefinition	AdverseEvent	AllergyIntolerance	Appointment	AppointmentResponse	AuditEvent	Basic	Binary	BiologicallyDerivedProduct	BodyStructure	Bundle	CapabilityStatement	CarePlan	CareTeam	CatalogEntry	ChargeItem	ChargeItemDefinition	Claim	ClaimResponse	ClinicalImpression	CodeSystem	Communication	CommunicationRequest	CompartmentDefinition	Composition	ConceptMap	Condition	Consent	Contract	Coverage	CoverageEligibilityRequest	CoverageEligibilityResponse	DetectedIssue	Device	DeviceDefinition	DeviceMetric	DeviceRequest	DeviceUseStatement	DiagnosticReport	DocumentManifest	DocumentReference	DomainResource	EffectEvidenceSynthesis	Encounter	Endpoint	EnrollmentRequest	EnrollmentResponse	EpisodeOfCare	EventDefinition	Evidence	EvidenceVariable	ExampleScenario	ExplanationOfBenefit	FamilyMemberHistory	Flag	Goal	GraphDefinition	Group	GuidanceResponse	HealthcareService	ImagingStudy	Immunization	ImmunizationEvaluation	ImmunizationRecommendation	ImplementationGuide	InsurancePlan	Invoice	Library	Linkage	List	Location	Measure	MeasureReport	Media	Medication	MedicationAdministration	MedicationDispense	MedicationKnowledge	MedicationRequest	MedicationStatement	MedicinalProduct	MedicinalProductAuthorization	MedicinalProductContraindication	MedicinalProductIndication	MedicinalProductIngredient	MedicinalProductInteraction	MedicinalProductManufactured	MedicinalProductPackaged	MedicinalProductPharmaceutical	MedicinalProductUndesirableEffect	MessageDefinition	MessageHeader	MolecularSequence	NamingSystem	NutritionOrder	Observation	ObservationDefinition	OperationDefinition	OperationOutcome	Organization	OrganizationAffiliation	Parameters	Patient	PaymentNotice	PaymentReconciliation	Person	PlanDefinition	Practitioner	PractitionerRole	Procedure	Provenance	Questionnaire	QuestionnaireResponse	RelatedPerson	RequestGroup	ResearchDefinition	ResearchElementDefinition	ResearchStudy	ResearchSubject	Resource	RiskAssessment	RiskEvidenceSynthesis	Schedule	SearchParameter	ServiceRequest	Slot	Specimen	SpecimenDefinition	StructureDefinition	StructureMap	Subscription	Substance	SubstanceNucleicAcid	SubstancePolymer	SubstanceProtein	SubstanceReferenceInformation	SubstanceSourceMaterial	SubstanceSpecification	SupplyDelivery	SupplyRequest	Task	TerminologyCapabilities	TestReport	TestScript	ValueSet	VerificationResult	VisionPrescription	Type	Any
allergy-intolerance-category	food	medication	environment	biologic
allergy-intolerance-criticality	low	high	unable-to-assess
allergy-intolerance-type	allergy	intolerance
appointmentstatus	proposed	pending	booked	arrived	fulfilled	cancelled	noshow	entered-in-error	checked-in	waitlist
assert-direction-codes	response	request
assert-operator-codes	equals	notEquals	in	notIn	greaterThan	lessThan	empty	notEmpty	contains	notContains	eval
assert-response-code-types	okay	created	noContent	notModified	bad	forbidden	notFound	methodNotAllowed	conflict	gone	preconditionFailed	unprocessable
audit-event-action	C	R	U	D	E
audit-event-outcome	0	4	8	12
binding-strength	required	extensible	preferred	example
bundle-type	document	message	transaction	transaction-response	batch	batch-response	history	searchset	collection
capability-statement-kind	instance	capability	requirements
care-plan-activity-kind	Appointment	CommunicationRequest	DeviceRequest	MedicationRequest	NutritionOrder	Task	ServiceRequest	VisionPrescription
care-plan-activity-status	not-started	scheduled	in-progress	on-hold	completed	cancelled	stopped	unknown	entered-in-error
care-plan-intent	proposal	plan	order	option
care-team-status	proposed	active	suspended	inactive	entered-in-error
chargeitem-status	planned	billable	not-billable	aborted	billed	entered-in-error	unknown
claim-use	claim	preauthorization	predetermination
clinicalimpression-status	in-progress	completed	entered-in-error
code-search-support	explicit	all
codesystem-content-mode	not-present	example	fragment	complete	supplement
codesystem-hierarchy-meaning	grouped-by	is-a	part-of	classified-with
compartment-type	Patient	Encounter	RelatedPerson	Practitioner	Device
composition-attestation-mode	personal	professional	legal	official
composition-status	preliminary	final	amended	entered-in-error
concept-map-equivalence	relatedto	equivalent	equal	wider	subsumes	narrower	specializes	inexact	unmatched	disjoint
concept-property-type	code	Coding	string	integer	boolean	dateTime	decimal
conceptmap-unmapped-mode	provided	fixed	other-map
conditional-delete-status	not-supported	single	multiple
conditional-read-status	not-supported	modified-since	not-match	full-support
consent-data-meaning	instance	related	dependents	authoredby
consent-provision-type	deny	permit
consent-state-codes	draft	proposed	active	rejected	inactive	entered-in-error
constraint-severity	error	warning
contact-point-system	phone	fax	email	pager	url	sms	other
contact-point-use	home	work	temp	old	mobile
contract-publicationstatus	amended	appended	cancelled	disputed	entered-in-error	executable	executed	negotiable	offered	policy	rejected	renewed	revoked	resolved	terminated
contract-status	amended	appended	cancelled	disputed	entered-in-error	executable	executed	negotiable	offered	policy	rejected	renewed	revoked	resolved	terminated
contributor-type	author	editor	reviewer	endorser
days-of-week	mon	tue	wed	thu	fri	sat	sun
defined-types	Address	Age	Annotation	Attachment	BackboneElement	CodeableConcept	Coding	ContactDetail	ContactPoint	Contributor	Count	DataRequirement	Distance	Dosage	Duration	Element	ElementDefinition	Expression	Extension	HumanName	Identifier	MarketingStatus	Meta	Money	MoneyQuantity	Narrative	ParameterDefinition	Period	Population	ProdCharacteristic	ProductShelfLife	Quantity	Range	Ratio	Reference	RelatedArtifact	SampledData	Signature	SimpleQuantity	SubstanceAmount	Timing	TriggerDefinition	UsageContext	base64Binary	boolean	canonical	code	date	dateTime	decimal	id	instant	integer	markdown	oid	positiveInt	string	time	unsignedInt	uri	url	uuid	xhtml	Account	ActivityDefinition	AdverseEvent	AllergyIntolerance	Appointment	AppointmentResponse	AuditEvent	Basic	Binary	BiologicallyDerivedProduct	BodyStructure	Bundle	CapabilityStatement	CarePlan	CareTeam	CatalogEntry	ChargeItem	ChargeItemDefinition	Claim	ClaimResponse	ClinicalImpression	CodeSystem	Communication	CommunicationRequest	CompartmentDefinition	Composition	ConceptMap	Condition	Consent	Contract	Coverage	CoverageEligibilityRequest	CoverageEligibilityResponse	DetectedIssue	Device	DeviceDefinition	DeviceMetric	DeviceRequest	DeviceUseStatement	DiagnosticReport	DocumentManifest	DocumentReference	DomainResource	EffectEvidenceSynthesis	Encounter	Endpoint	EnrollmentRequest	EnrollmentResponse	EpisodeOfCare	EventDefinition	Evidence	EvidenceVariable	ExampleScenario	ExplanationOfBenefit	FamilyMemberHistory	Flag	Goal	GraphDefinition	Group	GuidanceResponse	HealthcareService	ImagingStudy	Immunization	ImmunizationEvaluation	ImmunizationRecommendation	ImplementationGuide	InsurancePlan	Invoice	Library	Linkage	List	Location	Measure	MeasureReport	Media	Medication	MedicationAdministration	MedicationDispense	MedicationKnowledge	MedicationRequest	MedicationStatement	MedicinalProduct	MedicinalProductAuthorization	MedicinalProductContraindication	MedicinalProductIndication	MedicinalProductIngredient	MedicinalProductInteraction	MedicinalProductManufactured	MedicinalProductPackaged	MedicinalProductPharmaceutical	MedicinalProductUndesirableEffect	MessageDefinition	MessageHeader	MolecularSequence	NamingSystem	NutritionOrder	Observation	ObservationDefinition	OperationDefinition	OperationOutcome	Organization	OrganizationAffiliation	Parameters	Patient	PaymentNotice	PaymentReconciliation	Person	PlanDefinition	Practitioner	PractitionerRole	Procedure	Provenance	Questionnaire	QuestionnaireResponse	RelatedPerson	RequestGroup	ResearchDefinition	ResearchElementDefinition	ResearchStudy	ResearchSubject	Resource	RiskAssessment	RiskEvidenceSynthesis	Schedule	SearchParameter	ServiceRequest	Slot	Specimen	SpecimenDefinition	StructureDefinition	StructureMap	Subscription	Substance	SubstanceNucleicAcid	SubstancePolymer	SubstanceProtein	SubstanceReferenceInformation	SubstanceSourceMaterial	SubstanceSpecification	SupplyDelivery	SupplyRequest	Task	TerminologyCapabilities	TestReport	TestScript	ValueSet	VerificationResult	VisionPrescription
detectedissue-severity	high	moderate	low
device-nametype	udi-label-name	user-friendly-name	patient-reported-name	manufacturer-name	model-name	other
device-statement-status	active	completed	entered-in-error	intended	stopped	on-hold
device-status	active	inactive	entered-in-error	unknown
diagnostic-report-status	registered	partial	preliminary	final	amended	corrected	appended	cancelled	entered-in-error	unknown
discriminator-type	value	exists	pattern	type	profile
document-mode	producer	consumer
document-reference-status	current	superseded	entered-in-error
document-relationship-type	replaces	transforms	signs	appends
eligibilityrequest-purpose	auth-requirements	benefits	discovery	validation
eligibilityresponse-purpose	auth-requirements	benefits	discovery	validation
encounter-location-status	planned	active	reserved	completed
encounter-status	planned	arrived	triaged	in-progress	onleave	finished	cancelled	entered-in-error	unknown
endpoint-status	active	suspended	error	off	entered-in-error	test
episode-of-care-status	planned	waitlist	active	onhold	finished	cancelled	entered-in-error
event-capability-mode	sender	receiver
event-status	preparation	in-progress	not-done	on-hold	stopped	completed	entered-in-error	unknown
event-timing	MORN	MORN.early	MORN.late	NOON	AFT	AFT.early	AFT.late	EVE	EVE.early	EVE.late	NIGHT	PHS	HS	WAKE	C	CM	CD	CV	AC	ACM	ACD	ACV	PC	PCM	PCD	PCV
examplescenario-actor-type	person	entity
explanationofbenefit-status	active	cancelled	draft	entered-in-error
exposure-state	exposure	exposure-alternative
extension-context-type	fhirpath	element	extension
filter-operator	=	is-a	descendent-of	is-not-a	regex	in	not-in	generalizes	exists
flag-status	active	inactive	entered-in-error
fm-status	active	cancelled	draft	entered-in-error
goal-status	proposed	planned	accepted	active	on-hold	completed	cancelled	entered-in-error	rejected
graph-compartment-rule	identical	matching	different	custom
graph-compartment-use	condition	requirement
group-measure	mean	median	mean-of-mean	mean-of-median	median-of-mean	median-of-median
group-type	person	animal	practitioner	device	medication	substance
guidance-response-status	success	data-requested	data-required	in-progress	failure	entered-in-error
guide-page-generation	html	markdown	xml	generated
guide-parameter-code	apply	path-resource	path-pages	path-tx-cache	expansion-parameter	rule-broken-links	generate-xml	generate-json	generate-turtle	html-template
history-status	partial	completed	entered-in-error	health-unknown
http-operations	delete	get	options	patch	post	put	head
http-verb	GET	HEAD	POST	PUT	DELETE	PATCH
identifier-use	usual	official	temp	secondary	old
identity-assuranceLevel	level1	level2	level3	level4
imagingstudy-status	registered	available	cancelled	entered-in-error	unknown
immunization-evaluation-status	completed	entered-in-error
immunization-status	completed	entered-in-error	not-done
invoice-priceComponentType	base	surcharge	deduction	discount	tax	informational
invoice-status	draft	issued	balanced	cancelled	entered-in-error
issue-severity	fatal	error	warning	information
issue-type	invalid	structure	required	value	invariant	security	login	unknown	expired	forbidden	suppressed	processing	not-supported	duplicate	multiple-matches	not-found	deleted	too-long	code-invalid	extension	too-costly	business-rule	conflict	transient	lock-error	no-store	exception	timeout	incomplete	throttled	informational
item-type	group	display	question	boolean	decimal	integer	date	dateTime	time	string	text	url	choice	open-choice	attachment	reference	quantity
link-type	replaced-by	replaces	refer	seealso
linkage-type	source	alternate	historical
list-mode	working	snapshot	changes
list-status	current	retired	entered-in-error
location-mode	instance	kind
location-status	active	suspended	inactive
map-context-type	type	variable
map-group-type-mode	none	types	type-and-types
map-input-mode	source	target
map-model-mode	source	queried	target	produced
map-source-list-mode	first	not_first	last	not_last	only_one
map-target-list-mode	first	share	last	collate
map-transform	create	copy	truncate	escape	cast	append	translate	reference	dateOp	uuid	pointer	evaluate	cc	c	qty	id	cp
measure-report-status	complete	pending	error
measure-report-type	individual	subject-list	summary	data-collection
medication-admin-status	in-progress	not-done	on-hold	completed	entered-in-error	stopped	unknown
medication-statement-status	active	completed	entered-in-error	intended	stopped	on-hold	unknown	not-taken
medication-status	active	inactive	entered-in-error
medicationdispense-status	preparation	in-progress	cancelled	on-hold	completed	entered-in-error	stopped	declined	unknown
medicationknowledge-status	active	inactive	entered-in-error
medicationrequest-intent	proposal	plan	order	original-order	reflex-order	filler-order	instance-order	option
medicationrequest-status	active	on-hold	cancelled	completed	entered-in-error	stopped	draft	unknown
message-significance-category	consequence	currency	notification
messageheader-response-request	always	on-error	never	on-success
metric-calibration-state	not-calibrated	calibration-required	calibrated	unspecified
metric-calibration-type	unspecified	offset	gain	two-point
metric-category	measurement	setting	calculation	unspecified
metric-color	black	red	green	yellow	blue	magenta	cyan	white
metric-operational-status	on	off	standby	entered-in-error
name-use	usual	official	temp	nickname	anonymous	old	maiden
namingsystem-identifier-type	oid	uuid	uri	other
namingsystem-type	codesystem	identifier	root
narrative-status	generated	extensions	additional	empty
network-type	1	2	3	4	5
note-type	display	print	printoper
observation-range-category	reference	critical	absolute
observation-status	registered	preliminary	final	amended	corrected	cancelled	entered-in-error	unknown
operation-kind	operation	query
operation-parameter-use	in	out
orientation-type	sense	antisense
participantrequired	required	optional	information-only
participationstatus	accepted	declined	tentative	needs-action
permitted-data-type	Quantity	CodeableConcept	string	boolean	integer	Range	Ratio	SampledData	time	dateTime	Period
product-category	organ	tissue	fluid	cells	biologicalAgent
product-status	available	unavailable
product-storage-scale	farenheit	celsius	kelvin
property-representation	xmlAttr	xmlText	typeAttr	cdaText	xhtml
provenance-entity-role	derivation	revision	quotation	source	removal
publication-status	draft	active	retired	unknown
quality-type	indel	snp	unknown
quantity-comparator	<	<=	>=	>
questionnaire-answers-status	in-progress	completed	amended	entered-in-error	stopped
questionnaire-enable-behavior	all	any
questionnaire-enable-operator	exists	=	!=	>	<	>=	<=
reaction-event-severity	mild	moderate	severe
reference-handling-policy	literal	logical	resolves	enforced	local
reference-version-rules	either	independent	specific
related-artifact-type	documentation	justification	citation	predecessor	successor	derived-from	depends-on	composed-of
relation-type	triggers	is-replaced-by
remittance-outcome	queued	complete	error	partial
report-action-result-codes	pass	skip	fail	warning	error
report-participant-type	test-engine	client	server
report-result-codes	pass	fail	pending
report-status-codes	completed	in-progress	waiting	stopped	entered-in-error
repository-type	directlink	openapi	login	oauth	other
request-intent	proposal	plan	directive	order	original-order	reflex-order	filler-order	instance-order	option
request-priority	routine	urgent	asap	stat
request-resource-types	Appointment	AppointmentResponse	CarePlan	Claim	CommunicationRequest	Contract	DeviceRequest	EnrollmentRequest	ImmunizationRecommendation	MedicationRequest	NutritionOrder	ServiceRequest	SupplyRequest	Task	VisionPrescription
request-status	draft	active	on-hold	revoked	completed	entered-in-error	unknown
research-element-type	population	exposure	outcome
research-study-status	active	administratively-completed	approved	closed-to-accrual	closed-to-accrual-and-intervention	completed	disapproved	in-review	temporarily-closed-to-accrual	temporarily-closed-to-accrual-and-intervention	withdrawn
research-subject-status	candidate	eligible	follow-up	ineligible	not-registered	off-study	on-study	on-study-intervention	on-study-observation	pending-on-study	potential-candidate	screening	withdrawn
resource-aggregation-mode	contained	referenced	bundled
resource-slicing-rules	closed	open	openAtEnd
resource-types	Account	ActivityDefinition	AdverseEvent	AllergyIntolerance	Appointment	AppointmentResponse	AuditEvent	Basic	Binary	BiologicallyDerivedProduct	BodyStructure	Bundle	CapabilityStatement	CarePlan	CareTeam	CatalogEntry	ChargeItem	ChargeItemDefinition	Claim	ClaimResponse	ClinicalImpression	CodeSystem	Communication	CommunicationRequest	CompartmentDefinition	Composition	ConceptMap	Condition	Consent	Contract	Coverage	CoverageEligibilityRequest	CoverageEligibilityResponse	DetectedIssue	Device	DeviceDefinition	DeviceMetric	DeviceRequest	DeviceUseStatement	DiagnosticReport	DocumentManifest	DocumentReference	DomainResource	EffectEvidenceSynthesis	Encounter	Endpoint	EnrollmentRequest	EnrollmentResponse	EpisodeOfCare	EventDefinition	Evidence	EvidenceVariable	ExampleScenario	ExplanationOfBenefit	FamilyMemberHistory	Flag	Goal	GraphDefinition	Group	GuidanceResponse	HealthcareService	ImagingStudy	Immunization	ImmunizationEvaluation	ImmunizationRecommendation	ImplementationGuide	InsurancePlan	Invoice	Library	Linkage	List	Location	Measure	MeasureReport	Media	Medication	MedicationAdministration	MedicationDispense	MedicationKnowledge	MedicationRequest	MedicationStatement	MedicinalProduct	MedicinalProductAuthorization	MedicinalProductContraindication	MedicinalProductIndication	MedicinalProductIngredient	MedicinalProductInteraction	MedicinalProductManufactured	MedicinalProductPackaged	MedicinalProductPharmaceutical	MedicinalProductUndesirableEffect	MessageDefinition	MessageHeader	MolecularSequence	NamingSystem	NutritionOrder	Observation	ObservationDefinition	OperationDefinition	OperationOutcome	Organization	OrganizationAffiliation	Parameters	Patient	PaymentNotice	PaymentReconciliation	Person	PlanDefinition	Practitioner	PractitionerRole	Procedure	Provenance	Questionnaire	QuestionnaireResponse	RelatedPerson	RequestGroup	ResearchDefinition	ResearchElementDefinition	ResearchStudy	ResearchSubject	Resource	RiskAssessment	RiskEvidenceSynthesis	Schedule	SearchParameter	ServiceRequest	Slot	Specimen	SpecimenDefinition	StructureDefinition	StructureMap	Subscription	Substance	SubstanceNucleicAcid	SubstancePolymer	SubstanceProtein	SubstanceReferenceInformation	SubstanceSourceMaterial	SubstanceSpecification	SupplyDelivery	SupplyRequest	Task	TerminologyCapabilities	TestReport	TestScript	ValueSet	VerificationResult	VisionPrescription
response-code	ok	transient-error	fatal-error
restful-capability-mode	client	server
search-comparator	eq	ne	gt	lt	ge	le	sa	eb	ap
search-entry-mode	match	include	outcome
search-modifier-code	missing	exact	contains	not	text	in	not-in	below	above	type	identifier	ofType
search-param-type	number	date	string	token	reference	composite	quantity	uri	special
search-xpath-usage	normal	phonetic	nearby	distance	other
sequence-type	aa	dna	rna
slotstatus	busy	free	busy-unavailable	busy-tentative	entered-in-error
sort-direction	ascending	descending
spdx-license	not-open-source	0BSD	AAL	Abstyles	Adobe-2006	Adobe-Glyph	ADSL	AFL-1.1	AFL-1.2	AFL-2.0	AFL-2.1	AFL-3.0	Afmparse	AGPL-1.0-only	AGPL-1.0-or-later	AGPL-3.0-only	AGPL-3.0-or-later	Aladdin	AMDPLPA	AML	AMPAS	ANTLR-PD	Apache-1.0	Apache-1.1	Apache-2.0	APAFML	APL-1.0	APSL-1.0	APSL-1.1	APSL-1.2	APSL-2.0	Artistic-1.0-cl8	Artistic-1.0-Perl	Artistic-1.0	Artistic-2.0	Bahyph	Barr	Beerware	BitTorrent-1.0	BitTorrent-1.1	Borceux	BSD-1-Clause	BSD-2-Clause-FreeBSD	BSD-2-Clause-NetBSD	BSD-2-Clause-Patent	BSD-2-Clause	BSD-3-Clause-Attribution	BSD-3-Clause-Clear	BSD-3-Clause-LBNL	BSD-3-Clause-No-Nuclear-License-2014	BSD-3-Clause-No-Nuclear-License	BSD-3-Clause-No-Nuclear-Warranty	BSD-3-Clause	BSD-4-Clause-UC	BSD-4-Clause	BSD-Protection	BSD-Source-Code	BSL-1.0	bzip2-1.0.5	bzip2-1.0.6	Caldera	CATOSL-1.1	CC-BY-1.0	CC-BY-2.0	CC-BY-2.5	CC-BY-3.0	CC-BY-4.0	CC-BY-NC-1.0	CC-BY-NC-2.0	CC-BY-NC-2.5	CC-BY-NC-3.0	CC-BY-NC-4.0	CC-BY-NC-ND-1.0	CC-BY-NC-ND-2.0	CC-BY-NC-ND-2.5	CC-BY-NC-ND-3.0	CC-BY-NC-ND-4.0	CC-BY-NC-SA-1.0	CC-BY-NC-SA-2.0	CC-BY-NC-SA-2.5	CC-BY-NC-SA-3.0	CC-BY-NC-SA-4.0	CC-BY-ND-1.0	CC-BY-ND-2.0	CC-BY-ND-2.5	CC-BY-ND-3.0	CC-BY-ND-4.0	CC-BY-SA-1.0	CC-BY-SA-2.0	CC-BY-SA-2.5	CC-BY-SA-3.0	CC-BY-SA-4.0	CC0-1.0	CDDL-1.0	CDDL-1.1	CDLA-Permissive-1.0	CDLA-Sharing-1.0	CECILL-1.0	CECILL-1.1	CECILL-2.0	CECILL-2.1	CECILL-B	CECILL-C	ClArtistic	CNRI-Jython	CNRI-Python-GPL-Compatible	CNRI-Python	Condor-1.1	CPAL-1.0	CPL-1.0	CPOL-1.02	Crossword	CrystalStacker	CUA-OPL-1.0	Cube	curl	D-FSL-1.0	diffmark	DOC	Dotseqn	DSDP	dvipdfm	ECL-1.0	ECL-2.0	EFL-1.0	EFL-2.0	eGenix	Entessa	EPL-1.0	EPL-2.0	ErlPL-1.1	EUDatagrid	EUPL-1.0	EUPL-1.1	EUPL-1.2	Eurosym	Fair	Frameworx-1.0	FreeImage	FSFAP	FSFUL	FSFULLR	FTL	GFDL-1.1-only	GFDL-1.1-or-later	GFDL-1.2-only	GFDL-1.2-or-later	GFDL-1.3-only	GFDL-1.3-or-later	Giftware	GL2PS	Glide	Glulxe	gnuplot	GPL-1.0-only	GPL-1.0-or-later	GPL-2.0-only	GPL-2.0-or-later	GPL-3.0-only	GPL-3.0-or-later	gSOAP-1.3b	HaskellReport	HPND	IBM-pibs	ICU	IJG	ImageMagick	iMatix	Imlib2	Info-ZIP	Intel-ACPI	Intel	Interbase-1.0	IPA	IPL-1.0	ISC	JasPer-2.0	JSON	LAL-1.2	LAL-1.3	Latex2e	Leptonica	LGPL-2.0-only	LGPL-2.0-or-later	LGPL-2.1-only	LGPL-2.1-or-later	LGPL-3.0-only	LGPL-3.0-or-later	LGPLLR	Libpng	libtiff	LiLiQ-P-1.1	LiLiQ-R-1.1	LiLiQ-Rplus-1.1	Linux-OpenIB	LPL-1.0	LPL-1.02	LPPL-1.0	LPPL-1.1	LPPL-1.2	LPPL-1.3a	LPPL-1.3c	MakeIndex	MirOS	MIT-0	MIT-advertising	MIT-CMU	MIT-enna	MIT-feh	MIT	MITNFA	Motosoto	mpich2	MPL-1.0	MPL-1.1	MPL-2.0-no-copyleft-exception	MPL-2.0	MS-PL	MS-RL	MTLL	Multics	Mup	NASA-1.3	Naumen	NBPL-1.0	NCSA	Net-SNMP	NetCDF	Newsletr	NGPL	NLOD-1.0	NLPL	Nokia	NOSL	Noweb	NPL-1.0	NPL-1.1	NPOSL-3.0	NRL	NTP	OCCT-PL	OCLC-2.0	ODbL-1.0	OFL-1.0	OFL-1.1	OGTSL	OLDAP-1.1	OLDAP-1.2	OLDAP-1.3	OLDAP-1.4	OLDAP-2.0.1	OLDAP-2.0	OLDAP-2.1	OLDAP-2.2.1	OLDAP-2.2.2	OLDAP-2.2	OLDAP-2.3	OLDAP-2.4	OLDAP-2.5	OLDAP-2.6	OLDAP-2.7	OLDAP-2.8	OML	OpenSSL	OPL-1.0	OSET-PL-2.1	OSL-1.0	OSL-1.1	OSL-2.0	OSL-2.1	OSL-3.0	PDDL-1.0	PHP-3.0	PHP-3.01	Plexus	PostgreSQL	psfrag	psutils	Python-2.0	Qhull	QPL-1.0	Rdisc	RHeCos-1.1	RPL-1.1	RPL-1.5	RPSL-1.0	RSA-MD	RSCPL	Ruby	SAX-PD	Saxpath	SCEA	Sendmail	SGI-B-1.0	SGI-B-1.1	SGI-B-2.0	SimPL-2.0	SISSL-1.2	SISSL	Sleepycat	SMLNJ	SMPPL	SNIA	Spencer-86	Spencer-94	Spencer-99	SPL-1.0	SugarCRM-1.1.3	SWL	TCL	TCP-wrappers	TMate	TORQUE-1.1	TOSL	Unicode-DFS-2015	Unicode-DFS-2016	Unicode-TOU	Unlicense	UPL-1.0	Vim	VOSTROM	VSL-1.0	W3C-19980720	W3C-20150513	W3C	Watcom-1.0	Wsuipa	WTFPL	X11	Xerox	XFree86-1.1	xinetd	Xnet	xpp	XSkat	YPL-1.0	YPL-1.1	Zed	Zend-2.0	Zimbra-1.3	Zimbra-1.4	zlib-acknowledgement	Zlib	ZPL-1.1	ZPL-2.0	ZPL-2.1
specimen-contained-preference	preferred	alternate
specimen-status	available	unavailable	unsatisfactory	entered-in-error
strand-type	watson	crick
structure-definition-kind	primitive-type	complex-type	resource	logical
subscription-channel-type	rest-hook	websocket	email	sms	message
subscription-status	requested	active	error	off
substance-status	active	inactive	entered-in-error
supplydelivery-status	in-progress	completed	abandoned	entered-in-error
supplyrequest-status	draft	active	suspended	cancelled	completed	entered-in-error	unknown
system-restful-interaction	transaction	batch	search-system	history-system
task-intent	unknown	proposal	plan	order	original-order	reflex-order	filler-order	instance-order	option
task-status	draft	requested	received	accepted	rejected	ready	cancelled	in-progress	on-hold	failed	completed	entered-in-error
trigger-type	named-event	periodic	data-changed	data-added	data-modified	data-removed	data-accessed	data-access-ended
type-derivation-rule	specialization	constraint
type-restful-interaction	read	vread	update	patch	delete	history-instance	history-type	create	search-type
udi-entry-type	barcode	rfid	manual	card	self-reported	unknown
units-of-time	s	min	h	d	wk	mo	a
v3-ConfidentialityClassification	U	L	M	N	R	V
variable-type	dichotomous	continuous	descriptive
verificationresult-status	attested	validated	in-process	req-revalid	val-fail	reval-fail
versioning-policy	no-version	versioned	versioned-update
vision-base-codes	up	down	in	out
vision-eye-codes	right	left
"""#
    static let codeSystems = #"""
FHIR-version	http://hl7.org/fhir/FHIR-version
account-status	http://hl7.org/fhir/account-status
action-cardinality-behavior	http://hl7.org/fhir/action-cardinality-behavior
action-condition-kind	http://hl7.org/fhir/action-condition-kind
action-grouping-behavior	http://hl7.org/fhir/action-grouping-behavior
action-participant-type	http://hl7.org/fhir/action-participant-type
action-precheck-behavior	http://hl7.org/fhir/action-precheck-behavior
action-relationship-type	http://hl7.org/fhir/action-relationship-type
action-required-behavior	http://hl7.org/fhir/action-required-behavior
action-selection-behavior	http://hl7.org/fhir/action-selection-behavior
address-type	http://hl7.org/fhir/address-type
address-use	http://hl7.org/fhir/address-use
administrative-gender	http://hl7.org/fhir/administrative-gender
adverse-event-actuality	http://hl7.org/fhir/adverse-event-actuality
allergy-intolerance-category	http://hl7.org/fhir/allergy-intolerance-category
allergy-intolerance-criticality	http://hl7.org/fhir/allergy-intolerance-criticality
allergy-intolerance-type	http://hl7.org/fhir/allergy-intolerance-type
appointmentstatus	http://hl7.org/fhir/appointmentstatus
assert-direction-codes	http://hl7.org/fhir/assert-direction-codes
assert-operator-codes	http://hl7.org/fhir/assert-operator-codes
assert-response-code-types	http://hl7.org/fhir/assert-response-code-types
audit-event-action	http://hl7.org/fhir/audit-event-action
audit-event-outcome	http://hl7.org/fhir/audit-event-outcome
binding-strength	http://hl7.org/fhir/binding-strength
bundle-type	http://hl7.org/fhir/bundle-type
capability-statement-kind	http://hl7.org/fhir/capability-statement-kind
care-plan-activity-kind	http://hl7.org/fhir/resource-types
care-plan-activity-status	http://hl7.org/fhir/care-plan-activity-status
care-plan-intent	http://hl7.org/fhir/request-intent
care-team-status	http://hl7.org/fhir/care-team-status
chargeitem-status	http://hl7.org/fhir/chargeitem-status
claim-use	http://hl7.org/fhir/claim-use
clinicalimpression-status	http://hl7.org/fhir/event-status
code-search-support	http://hl7.org/fhir/code-search-support
codesystem-content-mode	http://hl7.org/fhir/codesystem-content-mode
codesystem-hierarchy-meaning	http://hl7.org/fhir/codesystem-hierarchy-meaning
compartment-type	http://hl7.org/fhir/compartment-type
composition-attestation-mode	http://hl7.org/fhir/composition-attestation-mode
composition-status	http://hl7.org/fhir/composition-status
concept-map-equivalence	http://hl7.org/fhir/concept-map-equivalence
concept-property-type	http://hl7.org/fhir/concept-property-type
conceptmap-unmapped-mode	http://hl7.org/fhir/conceptmap-unmapped-mode
conditional-delete-status	http://hl7.org/fhir/conditional-delete-status
conditional-read-status	http://hl7.org/fhir/conditional-read-status
consent-data-meaning	http://hl7.org/fhir/consent-data-meaning
consent-provision-type	http://hl7.org/fhir/consent-provision-type
consent-state-codes	http://hl7.org/fhir/consent-state-codes
constraint-severity	http://hl7.org/fhir/constraint-severity
contact-point-system	http://hl7.org/fhir/contact-point-system
contact-point-use	http://hl7.org/fhir/contact-point-use
contract-publicationstatus	http://hl7.org/fhir/contract-publicationstatus
contract-status	http://hl7.org/fhir/contract-status
contributor-type	http://hl7.org/fhir/contributor-type
currencies	urn:iso:std:iso:4217
days-of-week	http://hl7.org/fhir/days-of-week
detectedissue-severity	http://hl7.org/fhir/detectedissue-severity
device-nametype	http://hl7.org/fhir/device-nametype
device-statement-status	http://hl7.org/fhir/device-statement-status
device-status	http://hl7.org/fhir/device-status
diagnostic-report-status	http://hl7.org/fhir/diagnostic-report-status
discriminator-type	http://hl7.org/fhir/discriminator-type
document-mode	http://hl7.org/fhir/document-mode
document-reference-status	http://hl7.org/fhir/document-reference-status
document-relationship-type	http://hl7.org/fhir/document-relationship-type
eligibilityrequest-purpose	http://hl7.org/fhir/eligibilityrequest-purpose
eligibilityresponse-purpose	http://hl7.org/fhir/eligibilityresponse-purpose
encounter-location-status	http://hl7.org/fhir/encounter-location-status
encounter-status	http://hl7.org/fhir/encounter-status
endpoint-status	http://hl7.org/fhir/endpoint-status
episode-of-care-status	http://hl7.org/fhir/episode-of-care-status
event-capability-mode	http://hl7.org/fhir/event-capability-mode
event-status	http://hl7.org/fhir/event-status
examplescenario-actor-type	http://hl7.org/fhir/examplescenario-actor-type
explanationofbenefit-status	http://hl7.org/fhir/explanationofbenefit-status
exposure-state	http://hl7.org/fhir/exposure-state
expression-language	http://hl7.org/fhir/expression-language
extension-context-type	http://hl7.org/fhir/extension-context-type
filter-operator	http://hl7.org/fhir/filter-operator
flag-status	http://hl7.org/fhir/flag-status
fm-status	http://hl7.org/fhir/fm-status
goal-status	http://hl7.org/fhir/goal-status
graph-compartment-rule	http://hl7.org/fhir/graph-compartment-rule
graph-compartment-use	http://hl7.org/fhir/graph-compartment-use
group-measure	http://hl7.org/fhir/group-measure
group-type	http://hl7.org/fhir/group-type
guidance-response-status	http://hl7.org/fhir/guidance-response-status
guide-page-generation	http://hl7.org/fhir/guide-page-generation
guide-parameter-code	http://hl7.org/fhir/guide-parameter-code
history-status	http://hl7.org/fhir/history-status
http-operations	http://hl7.org/fhir/http-operations
http-verb	http://hl7.org/fhir/http-verb
identifier-use	http://hl7.org/fhir/identifier-use
identity-assuranceLevel	http://hl7.org/fhir/identity-assuranceLevel
imagingstudy-status	http://hl7.org/fhir/imagingstudy-status
immunization-evaluation-status	http://terminology.hl7.org/CodeSystem/medication-admin-status
immunization-status	http://hl7.org/fhir/event-status
invoice-priceComponentType	http://hl7.org/fhir/invoice-priceComponentType
invoice-status	http://hl7.org/fhir/invoice-status
issue-severity	http://hl7.org/fhir/issue-severity
issue-type	http://hl7.org/fhir/issue-type
item-type	http://hl7.org/fhir/item-type
languages	urn:ietf:bcp:47
link-type	http://hl7.org/fhir/link-type
linkage-type	http://hl7.org/fhir/linkage-type
list-mode	http://hl7.org/fhir/list-mode
list-status	http://hl7.org/fhir/list-status
location-mode	http://hl7.org/fhir/location-mode
location-status	http://hl7.org/fhir/location-status
map-context-type	http://hl7.org/fhir/map-context-type
map-group-type-mode	http://hl7.org/fhir/map-group-type-mode
map-input-mode	http://hl7.org/fhir/map-input-mode
map-model-mode	http://hl7.org/fhir/map-model-mode
map-source-list-mode	http://hl7.org/fhir/map-source-list-mode
map-target-list-mode	http://hl7.org/fhir/map-target-list-mode
map-transform	http://hl7.org/fhir/map-transform
measure-report-status	http://hl7.org/fhir/measure-report-status
measure-report-type	http://hl7.org/fhir/measure-report-type
medication-admin-status	http://terminology.hl7.org/CodeSystem/medication-admin-status
medication-statement-status	http://hl7.org/fhir/CodeSystem/medication-statement-status
medication-status	http://hl7.org/fhir/CodeSystem/medication-status
medicationdispense-status	http://terminology.hl7.org/CodeSystem/medicationdispense-status
medicationknowledge-status	http://terminology.hl7.org/CodeSystem/medicationknowledge-status
medicationrequest-intent	http://hl7.org/fhir/CodeSystem/medicationrequest-intent
medicationrequest-status	http://hl7.org/fhir/CodeSystem/medicationrequest-status
message-significance-category	http://hl7.org/fhir/message-significance-category
messageheader-response-request	http://hl7.org/fhir/messageheader-response-request
metric-calibration-state	http://hl7.org/fhir/metric-calibration-state
metric-calibration-type	http://hl7.org/fhir/metric-calibration-type
metric-category	http://hl7.org/fhir/metric-category
metric-color	http://hl7.org/fhir/metric-color
metric-operational-status	http://hl7.org/fhir/metric-operational-status
mimetypes	urn:ietf:bcp:13
name-use	http://hl7.org/fhir/name-use
namingsystem-identifier-type	http://hl7.org/fhir/namingsystem-identifier-type
namingsystem-type	http://hl7.org/fhir/namingsystem-type
narrative-status	http://hl7.org/fhir/narrative-status
network-type	http://hl7.org/fhir/network-type
note-type	http://hl7.org/fhir/note-type
observation-range-category	http://hl7.org/fhir/observation-range-category
observation-status	http://hl7.org/fhir/observation-status
operation-kind	http://hl7.org/fhir/operation-kind
operation-parameter-use	http://hl7.org/fhir/operation-parameter-use
orientation-type	http://hl7.org/fhir/orientation-type
participantrequired	http://hl7.org/fhir/participantrequired
participationstatus	http://hl7.org/fhir/participationstatus
permitted-data-type	http://hl7.org/fhir/permitted-data-type
product-category	http://hl7.org/fhir/product-category
product-status	http://hl7.org/fhir/product-status
product-storage-scale	http://hl7.org/fhir/product-storage-scale
property-representation	http://hl7.org/fhir/property-representation
provenance-entity-role	http://hl7.org/fhir/provenance-entity-role
publication-status	http://hl7.org/fhir/publication-status
quality-type	http://hl7.org/fhir/quality-type
quantity-comparator	http://hl7.org/fhir/quantity-comparator
questionnaire-answers-status	http://hl7.org/fhir/questionnaire-answers-status
questionnaire-enable-behavior	http://hl7.org/fhir/questionnaire-enable-behavior
questionnaire-enable-operator	http://hl7.org/fhir/questionnaire-enable-operator
reaction-event-severity	http://hl7.org/fhir/reaction-event-severity
reference-handling-policy	http://hl7.org/fhir/reference-handling-policy
reference-version-rules	http://hl7.org/fhir/reference-version-rules
related-artifact-type	http://hl7.org/fhir/related-artifact-type
relation-type	http://hl7.org/fhir/relation-type
remittance-outcome	http://hl7.org/fhir/remittance-outcome
report-action-result-codes	http://hl7.org/fhir/report-action-result-codes
report-participant-type	http://hl7.org/fhir/report-participant-type
report-result-codes	http://hl7.org/fhir/report-result-codes
report-status-codes	http://hl7.org/fhir/report-status-codes
repository-type	http://hl7.org/fhir/repository-type
request-intent	http://hl7.org/fhir/request-intent
request-priority	http://hl7.org/fhir/request-priority
request-resource-types	http://hl7.org/fhir/request-resource-types
request-status	http://hl7.org/fhir/request-status
research-element-type	http://hl7.org/fhir/research-element-type
research-study-status	http://hl7.org/fhir/research-study-status
research-subject-status	http://hl7.org/fhir/research-subject-status
resource-aggregation-mode	http://hl7.org/fhir/resource-aggregation-mode
resource-slicing-rules	http://hl7.org/fhir/resource-slicing-rules
resource-types	http://hl7.org/fhir/resource-types
response-code	http://hl7.org/fhir/response-code
restful-capability-mode	http://hl7.org/fhir/restful-capability-mode
search-comparator	http://hl7.org/fhir/search-comparator
search-entry-mode	http://hl7.org/fhir/search-entry-mode
search-modifier-code	http://hl7.org/fhir/search-modifier-code
search-param-type	http://hl7.org/fhir/search-param-type
search-xpath-usage	http://hl7.org/fhir/search-xpath-usage
sequence-type	http://hl7.org/fhir/sequence-type
slotstatus	http://hl7.org/fhir/slotstatus
sort-direction	http://hl7.org/fhir/sort-direction
spdx-license	http://hl7.org/fhir/spdx-license
specimen-contained-preference	http://hl7.org/fhir/specimen-contained-preference
specimen-status	http://hl7.org/fhir/specimen-status
strand-type	http://hl7.org/fhir/strand-type
structure-definition-kind	http://hl7.org/fhir/structure-definition-kind
subscription-channel-type	http://hl7.org/fhir/subscription-channel-type
subscription-status	http://hl7.org/fhir/subscription-status
substance-status	http://hl7.org/fhir/substance-status
supplydelivery-status	http://hl7.org/fhir/supplydelivery-status
supplyrequest-status	http://hl7.org/fhir/supplyrequest-status
system-restful-interaction	http://hl7.org/fhir/restful-interaction
task-status	http://hl7.org/fhir/task-status
trigger-type	http://hl7.org/fhir/trigger-type
type-derivation-rule	http://hl7.org/fhir/type-derivation-rule
type-restful-interaction	http://hl7.org/fhir/restful-interaction
udi-entry-type	http://hl7.org/fhir/udi-entry-type
units-of-time	http://unitsofmeasure.org
v3-ConfidentialityClassification	http://terminology.hl7.org/CodeSystem/v3-Confidentiality
variable-type	http://hl7.org/fhir/variable-type
verificationresult-status	http://hl7.org/fhir/CodeSystem/status
versioning-policy	http://hl7.org/fhir/versioning-policy
vision-base-codes	http://hl7.org/fhir/vision-base-codes
vision-eye-codes	http://hl7.org/fhir/vision-eye-codes
"""#
    static let searchParameters = #"""
Account	identifier	token	Account.identifier			Account-identifier
Account	name	string	Account.name			Account-name
Account	owner	reference	Account.owner	Organization		Account-owner
Account	patient	reference	Account.subject.where(resolve() is Patient)	Patient		Account-patient
Account	period	date	Account.servicePeriod			Account-period
Account	status	token	Account.status			Account-status
Account	subject	reference	Account.subject	Practitioner,Organization,Device,Patient,HealthcareService,PractitionerRole,Location		Account-subject
Account	type	token	Account.type			Account-type
ActivityDefinition	composed-of	reference	ActivityDefinition.relatedArtifact.where(type='composed-of').resource			ActivityDefinition-composed-of
ActivityDefinition	context	token	(ActivityDefinition.useContext.value as CodeableConcept)			ActivityDefinition-context
ActivityDefinition	context-quantity	quantity	(ActivityDefinition.useContext.value as Quantity) | (ActivityDefinition.useContext.value as Range)			ActivityDefinition-context-quantity
ActivityDefinition	context-type	token	ActivityDefinition.useContext.code			ActivityDefinition-context-type
ActivityDefinition	context-type-quantity	composite	ActivityDefinition.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	ActivityDefinition-context-type-quantity
ActivityDefinition	context-type-value	composite	ActivityDefinition.useContext		context-type=code;context=value.as(CodeableConcept)	ActivityDefinition-context-type-value
ActivityDefinition	date	date	ActivityDefinition.date			ActivityDefinition-date
ActivityDefinition	depends-on	reference	ActivityDefinition.relatedArtifact.where(type='depends-on').resource | ActivityDefinition.library			ActivityDefinition-depends-on
ActivityDefinition	derived-from	reference	ActivityDefinition.relatedArtifact.where(type='derived-from').resource			ActivityDefinition-derived-from
ActivityDefinition	description	string	ActivityDefinition.description			ActivityDefinition-description
ActivityDefinition	effective	date	ActivityDefinition.effectivePeriod			ActivityDefinition-effective
ActivityDefinition	identifier	token	ActivityDefinition.identifier			ActivityDefinition-identifier
ActivityDefinition	jurisdiction	token	ActivityDefinition.jurisdiction			ActivityDefinition-jurisdiction
ActivityDefinition	name	string	ActivityDefinition.name			ActivityDefinition-name
ActivityDefinition	predecessor	reference	ActivityDefinition.relatedArtifact.where(type='predecessor').resource			ActivityDefinition-predecessor
ActivityDefinition	publisher	string	ActivityDefinition.publisher			ActivityDefinition-publisher
ActivityDefinition	status	token	ActivityDefinition.status			ActivityDefinition-status
ActivityDefinition	successor	reference	ActivityDefinition.relatedArtifact.where(type='successor').resource			ActivityDefinition-successor
ActivityDefinition	title	string	ActivityDefinition.title			ActivityDefinition-title
ActivityDefinition	topic	token	ActivityDefinition.topic			ActivityDefinition-topic
ActivityDefinition	url	uri	ActivityDefinition.url			ActivityDefinition-url
ActivityDefinition	version	token	ActivityDefinition.version			ActivityDefinition-version
AdverseEvent	actuality	token	AdverseEvent.actuality			AdverseEvent-actuality
AdverseEvent	category	token	AdverseEvent.category			AdverseEvent-category
AdverseEvent	date	date	AdverseEvent.date			AdverseEvent-date
AdverseEvent	event	token	AdverseEvent.event			AdverseEvent-event
AdverseEvent	location	reference	AdverseEvent.location	Location		AdverseEvent-location
AdverseEvent	recorder	reference	AdverseEvent.recorder	Practitioner,Patient,PractitionerRole,RelatedPerson		AdverseEvent-recorder
AdverseEvent	resultingcondition	reference	AdverseEvent.resultingCondition	Condition		AdverseEvent-resultingcondition
AdverseEvent	seriousness	token	AdverseEvent.seriousness			AdverseEvent-seriousness
AdverseEvent	severity	token	AdverseEvent.severity			AdverseEvent-severity
AdverseEvent	study	reference	AdverseEvent.study	ResearchStudy		AdverseEvent-study
AdverseEvent	subject	reference	AdverseEvent.subject	Practitioner,Group,Patient,RelatedPerson		AdverseEvent-subject
AdverseEvent	substance	reference	AdverseEvent.suspectEntity.instance	Immunization,Device,Medication,Procedure,Substance,MedicationAdministration,MedicationStatement		AdverseEvent-substance
AllergyIntolerance	asserter	reference	AllergyIntolerance.asserter	Practitioner,Patient,PractitionerRole,RelatedPerson		AllergyIntolerance-asserter
AllergyIntolerance	category	token	AllergyIntolerance.category			AllergyIntolerance-category
AllergyIntolerance	clinical-status	token	AllergyIntolerance.clinicalStatus			AllergyIntolerance-clinical-status
AllergyIntolerance	code	token	AllergyIntolerance.code | AllergyIntolerance.reaction.substance			clinical-code
AllergyIntolerance	criticality	token	AllergyIntolerance.criticality			AllergyIntolerance-criticality
AllergyIntolerance	date	date	AllergyIntolerance.recordedDate			clinical-date
AllergyIntolerance	identifier	token	AllergyIntolerance.identifier			clinical-identifier
AllergyIntolerance	last-date	date	AllergyIntolerance.lastOccurrence			AllergyIntolerance-last-date
AllergyIntolerance	manifestation	token	AllergyIntolerance.reaction.manifestation			AllergyIntolerance-manifestation
AllergyIntolerance	onset	date	AllergyIntolerance.reaction.onset			AllergyIntolerance-onset
AllergyIntolerance	patient	reference	AllergyIntolerance.patient	Patient,Group		clinical-patient
AllergyIntolerance	recorder	reference	AllergyIntolerance.recorder	Practitioner,Patient,PractitionerRole,RelatedPerson		AllergyIntolerance-recorder
AllergyIntolerance	route	token	AllergyIntolerance.reaction.exposureRoute			AllergyIntolerance-route
AllergyIntolerance	severity	token	AllergyIntolerance.reaction.severity			AllergyIntolerance-severity
AllergyIntolerance	type	token	AllergyIntolerance.type			clinical-type
AllergyIntolerance	verification-status	token	AllergyIntolerance.verificationStatus			AllergyIntolerance-verification-status
Appointment	actor	reference	Appointment.participant.actor	Practitioner,Device,Patient,HealthcareService,PractitionerRole,RelatedPerson,Location		Appointment-actor
Appointment	appointment-type	token	Appointment.appointmentType			Appointment-appointment-type
Appointment	based-on	reference	Appointment.basedOn	ServiceRequest		Appointment-based-on
Appointment	date	date	Appointment.start			Appointment-date
Appointment	identifier	token	Appointment.identifier			Appointment-identifier
Appointment	location	reference	Appointment.participant.actor.where(resolve() is Location)	Location		Appointment-location
Appointment	part-status	token	Appointment.participant.status			Appointment-part-status
Appointment	patient	reference	Appointment.participant.actor.where(resolve() is Patient)	Patient		Appointment-patient
Appointment	practitioner	reference	Appointment.participant.actor.where(resolve() is Practitioner)	Practitioner		Appointment-practitioner
Appointment	reason-code	token	Appointment.reasonCode			Appointment-reason-code
Appointment	reason-reference	reference	Appointment.reasonReference	Condition,Observation,Procedure,ImmunizationRecommendation		Appointment-reason-reference
Appointment	service-category	token	Appointment.serviceCategory			Appointment-service-category
Appointment	service-type	token	Appointment.serviceType			Appointment-service-type
Appointment	slot	reference	Appointment.slot	Slot		Appointment-slot
Appointment	specialty	token	Appointment.specialty			Appointment-specialty
Appointment	status	token	Appointment.status			Appointment-status
Appointment	supporting-info	reference	Appointment.supportingInformation			Appointment-supporting-info
AppointmentResponse	actor	reference	AppointmentResponse.actor	Practitioner,Device,Patient,HealthcareService,PractitionerRole,RelatedPerson,Location		AppointmentResponse-actor
AppointmentResponse	appointment	reference	AppointmentResponse.appointment	Appointment		AppointmentResponse-appointment
AppointmentResponse	identifier	token	AppointmentResponse.identifier			AppointmentResponse-identifier
AppointmentResponse	location	reference	AppointmentResponse.actor.where(resolve() is Location)	Location		AppointmentResponse-location
AppointmentResponse	part-status	token	AppointmentResponse.participantStatus			AppointmentResponse-part-status
AppointmentResponse	patient	reference	AppointmentResponse.actor.where(resolve() is Patient)	Patient		AppointmentResponse-patient
AppointmentResponse	practitioner	reference	AppointmentResponse.actor.where(resolve() is Practitioner)	Practitioner		AppointmentResponse-practitioner
AuditEvent	action	token	AuditEvent.action			AuditEvent-action
AuditEvent	address	string	AuditEvent.agent.network.address			AuditEvent-address
AuditEvent	agent	reference	AuditEvent.agent.who	Practitioner,Organization,Device,Patient,PractitionerRole,RelatedPerson		AuditEvent-agent
AuditEvent	agent-name	string	AuditEvent.agent.name			AuditEvent-agent-name
AuditEvent	agent-role	token	AuditEvent.agent.role			AuditEvent-agent-role
AuditEvent	altid	token	AuditEvent.agent.altId			AuditEvent-altid
AuditEvent	date	date	AuditEvent.recorded			AuditEvent-date
AuditEvent	entity	reference	AuditEvent.entity.what			AuditEvent-entity
AuditEvent	entity-name	string	AuditEvent.entity.name			AuditEvent-entity-name
AuditEvent	entity-role	token	AuditEvent.entity.role			AuditEvent-entity-role
AuditEvent	entity-type	token	AuditEvent.entity.type			AuditEvent-entity-type
AuditEvent	outcome	token	AuditEvent.outcome			AuditEvent-outcome
AuditEvent	patient	reference	AuditEvent.agent.who.where(resolve() is Patient) | AuditEvent.entity.what.where(resolve() is Patient)	Patient		AuditEvent-patient
AuditEvent	policy	uri	AuditEvent.agent.policy			AuditEvent-policy
AuditEvent	site	token	AuditEvent.source.site			AuditEvent-site
AuditEvent	source	reference	AuditEvent.source.observer	Practitioner,Organization,Device,Patient,PractitionerRole,RelatedPerson		AuditEvent-source
AuditEvent	subtype	token	AuditEvent.subtype			AuditEvent-subtype
AuditEvent	type	token	AuditEvent.type			AuditEvent-type
Basic	author	reference	Basic.author	Practitioner,Organization,Patient,PractitionerRole,RelatedPerson		Basic-author
Basic	code	token	Basic.code			Basic-code
Basic	created	date	Basic.created			Basic-created
Basic	identifier	token	Basic.identifier			Basic-identifier
Basic	patient	reference	Basic.subject.where(resolve() is Patient)	Patient		Basic-patient
Basic	subject	reference	Basic.subject			Basic-subject
BodyStructure	identifier	token	BodyStructure.identifier			BodyStructure-identifier
BodyStructure	location	token	BodyStructure.location			BodyStructure-location
BodyStructure	morphology	token	BodyStructure.morphology			BodyStructure-morphology
BodyStructure	patient	reference	BodyStructure.patient	Patient		BodyStructure-patient
Bundle	composition	reference	Bundle.entry[0].resource	Composition		Bundle-composition
Bundle	identifier	token	Bundle.identifier			Bundle-identifier
Bundle	message	reference	Bundle.entry[0].resource	MessageHeader		Bundle-message
Bundle	timestamp	date	Bundle.timestamp			Bundle-timestamp
Bundle	type	token	Bundle.type			Bundle-type
CapabilityStatement	context	token	(CapabilityStatement.useContext.value as CodeableConcept)			conformance-context
CapabilityStatement	context-quantity	quantity	(CapabilityStatement.useContext.value as Quantity) | (CapabilityStatement.useContext.value as Range)			conformance-context-quantity
CapabilityStatement	context-type	token	CapabilityStatement.useContext.code			conformance-context-type
CapabilityStatement	context-type-quantity	composite	CapabilityStatement.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	conformance-context-type-quantity
CapabilityStatement	context-type-value	composite	CapabilityStatement.useContext		context-type=code;context=value.as(CodeableConcept)	conformance-context-type-value
CapabilityStatement	date	date	CapabilityStatement.date			conformance-date
CapabilityStatement	description	string	CapabilityStatement.description			conformance-description
CapabilityStatement	fhirversion	token	CapabilityStatement.version			CapabilityStatement-fhirversion
CapabilityStatement	format	token	CapabilityStatement.format			CapabilityStatement-format
CapabilityStatement	guide	reference	CapabilityStatement.implementationGuide	ImplementationGuide		CapabilityStatement-guide
CapabilityStatement	jurisdiction	token	CapabilityStatement.jurisdiction			conformance-jurisdiction
CapabilityStatement	mode	token	CapabilityStatement.rest.mode			CapabilityStatement-mode
CapabilityStatement	name	string	CapabilityStatement.name			conformance-name
CapabilityStatement	publisher	string	CapabilityStatement.publisher			conformance-publisher
CapabilityStatement	resource	token	CapabilityStatement.rest.resource.type			CapabilityStatement-resource
CapabilityStatement	resource-profile	reference	CapabilityStatement.rest.resource.profile	StructureDefinition		CapabilityStatement-resource-profile
CapabilityStatement	security-service	token	CapabilityStatement.rest.security.service			CapabilityStatement-security-service
CapabilityStatement	software	string	CapabilityStatement.software.name			CapabilityStatement-software
CapabilityStatement	status	token	CapabilityStatement.status			conformance-status
CapabilityStatement	supported-profile	reference	CapabilityStatement.rest.resource.supportedProfile	StructureDefinition		CapabilityStatement-supported-profile
CapabilityStatement	title	string	CapabilityStatement.title			conformance-title
CapabilityStatement	url	uri	CapabilityStatement.url			conformance-url
CapabilityStatement	version	token	CapabilityStatement.version			conformance-version
CarePlan	activity-code	token	CarePlan.activity.detail.code			CarePlan-activity-code
CarePlan	activity-date	date	CarePlan.activity.detail.scheduled			CarePlan-activity-date
CarePlan	activity-reference	reference	CarePlan.activity.reference	Appointment,MedicationRequest,Task,NutritionOrder,RequestGroup,VisionPrescription,DeviceRequest,ServiceRequest,CommunicationRequest		CarePlan-activity-reference
CarePlan	based-on	reference	CarePlan.basedOn	CarePlan		CarePlan-based-on
CarePlan	care-team	reference	CarePlan.careTeam	CareTeam		CarePlan-care-team
CarePlan	category	token	CarePlan.category			CarePlan-category
CarePlan	condition	reference	CarePlan.addresses	Condition		CarePlan-condition
CarePlan	date	date	CarePlan.period			clinical-date
CarePlan	encounter	reference	CarePlan.encounter	Encounter		CarePlan-encounter
CarePlan	goal	reference	CarePlan.goal	Goal		CarePlan-goal
CarePlan	identifier	token	CarePlan.identifier			clinical-identifier
CarePlan	instantiates-canonical	reference	CarePlan.instantiatesCanonical	Questionnaire,Measure,PlanDefinition,OperationDefinition,ActivityDefinition		CarePlan-instantiates-canonical
CarePlan	instantiates-uri	uri	CarePlan.instantiatesUri			CarePlan-instantiates-uri
CarePlan	intent	token	CarePlan.intent			CarePlan-intent
CarePlan	part-of	reference	CarePlan.partOf	CarePlan		CarePlan-part-of
CarePlan	patient	reference	CarePlan.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
CarePlan	performer	reference	CarePlan.activity.detail.performer	Practitioner,Organization,CareTeam,Device,Patient,HealthcareService,PractitionerRole,RelatedPerson		CarePlan-performer
CarePlan	replaces	reference	CarePlan.replaces	CarePlan		CarePlan-replaces
CarePlan	status	token	CarePlan.status			CarePlan-status
CarePlan	subject	reference	CarePlan.subject	Group,Patient		CarePlan-subject
CareTeam	category	token	CareTeam.category			CareTeam-category
CareTeam	date	date	CareTeam.period			clinical-date
CareTeam	encounter	reference	CareTeam.encounter	Encounter		CareTeam-encounter
CareTeam	identifier	token	CareTeam.identifier			clinical-identifier
CareTeam	participant	reference	CareTeam.participant.member	Practitioner,Organization,CareTeam,Patient,PractitionerRole,RelatedPerson		CareTeam-participant
CareTeam	patient	reference	CareTeam.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
CareTeam	status	token	CareTeam.status			CareTeam-status
CareTeam	subject	reference	CareTeam.subject	Group,Patient		CareTeam-subject
ChargeItem	account	reference	ChargeItem.account	Account		ChargeItem-account
ChargeItem	code	token	ChargeItem.code			ChargeItem-code
ChargeItem	context	reference	ChargeItem.context	EpisodeOfCare,Encounter		ChargeItem-context
ChargeItem	entered-date	date	ChargeItem.enteredDate			ChargeItem-entered-date
ChargeItem	enterer	reference	ChargeItem.enterer	Practitioner,Organization,Device,Patient,PractitionerRole,RelatedPerson		ChargeItem-enterer
ChargeItem	factor-override	number	ChargeItem.factorOverride			ChargeItem-factor-override
ChargeItem	identifier	token	ChargeItem.identifier			ChargeItem-identifier
ChargeItem	occurrence	date	ChargeItem.occurrence			ChargeItem-occurrence
ChargeItem	patient	reference	ChargeItem.subject.where(resolve() is Patient)	Patient		ChargeItem-patient
ChargeItem	performer-actor	reference	ChargeItem.performer.actor	Practitioner,Organization,CareTeam,Device,Patient,PractitionerRole,RelatedPerson		ChargeItem-performer-actor
ChargeItem	performer-function	token	ChargeItem.performer.function			ChargeItem-performer-function
ChargeItem	performing-organization	reference	ChargeItem.performingOrganization	Organization		ChargeItem-performing-organization
ChargeItem	price-override	quantity	ChargeItem.priceOverride			ChargeItem-price-override
ChargeItem	quantity	quantity	ChargeItem.quantity			ChargeItem-quantity
ChargeItem	requesting-organization	reference	ChargeItem.requestingOrganization	Organization		ChargeItem-requesting-organization
ChargeItem	service	reference	ChargeItem.service	Immunization,MedicationDispense,SupplyDelivery,Observation,DiagnosticReport,ImagingStudy,MedicationAdministration,Procedure		ChargeItem-service
ChargeItem	subject	reference	ChargeItem.subject	Group,Patient		ChargeItem-subject
ChargeItemDefinition	context	token	(ChargeItemDefinition.useContext.value as CodeableConcept)			ChargeItemDefinition-context
ChargeItemDefinition	context-quantity	quantity	(ChargeItemDefinition.useContext.value as Quantity) | (ChargeItemDefinition.useContext.value as Range)			ChargeItemDefinition-context-quantity
ChargeItemDefinition	context-type	token	ChargeItemDefinition.useContext.code			ChargeItemDefinition-context-type
ChargeItemDefinition	context-type-quantity	composite	ChargeItemDefinition.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	ChargeItemDefinition-context-type-quantity
ChargeItemDefinition	context-type-value	composite	ChargeItemDefinition.useContext		context-type=code;context=value.as(CodeableConcept)	ChargeItemDefinition-context-type-value
ChargeItemDefinition	date	date	ChargeItemDefinition.date			ChargeItemDefinition-date
ChargeItemDefinition	description	string	ChargeItemDefinition.description			ChargeItemDefinition-description
ChargeItemDefinition	effective	date	ChargeItemDefinition.effectivePeriod			ChargeItemDefinition-effective
ChargeItemDefinition	identifier	token	ChargeItemDefinition.identifier			ChargeItemDefinition-identifier
ChargeItemDefinition	jurisdiction	token	ChargeItemDefinition.jurisdiction			ChargeItemDefinition-jurisdiction
ChargeItemDefinition	publisher	string	ChargeItemDefinition.publisher			ChargeItemDefinition-publisher
ChargeItemDefinition	status	token	ChargeItemDefinition.status			ChargeItemDefinition-status
ChargeItemDefinition	title	string	ChargeItemDefinition.title			ChargeItemDefinition-title
ChargeItemDefinition	url	uri	ChargeItemDefinition.url			ChargeItemDefinition-url
ChargeItemDefinition	version	token	ChargeItemDefinition.version			ChargeItemDefinition-version
Claim	care-team	reference	Claim.careTeam.provider	Practitioner,Organization,PractitionerRole		Claim-care-team
Claim	created	date	Claim.created			Claim-created
Claim	detail-udi	reference	Claim.item.detail.udi	Device		Claim-detail-udi
Claim	encounter	reference	Claim.item.encounter	Encounter		Claim-encounter
Claim	enterer	reference	Claim.enterer	Practitioner,PractitionerRole		Claim-enterer
Claim	facility	reference	Claim.facility	Location		Claim-facility
Claim	identifier	token	Claim.identifier			Claim-identifier
Claim	insurer	reference	Claim.insurer	Organization		Claim-insurer
Claim	item-udi	reference	Claim.item.udi	Device		Claim-item-udi
Claim	patient	reference	Claim.patient	Patient		Claim-patient
Claim	payee	reference	Claim.payee.party	Practitioner,Organization,Patient,PractitionerRole,RelatedPerson		Claim-payee
Claim	priority	token	Claim.priority			Claim-priority
Claim	procedure-udi	reference	Claim.procedure.udi	Device		Claim-procedure-udi
Claim	provider	reference	Claim.provider	Practitioner,Organization,PractitionerRole		Claim-provider
Claim	status	token	Claim.status			Claim-status
Claim	subdetail-udi	reference	Claim.item.detail.subDetail.udi	Device		Claim-subdetail-udi
Claim	use	token	Claim.use			Claim-use
ClaimResponse	created	date	ClaimResponse.created			ClaimResponse-created
ClaimResponse	disposition	string	ClaimResponse.disposition			ClaimResponse-disposition
ClaimResponse	identifier	token	ClaimResponse.identifier			ClaimResponse-identifier
ClaimResponse	insurer	reference	ClaimResponse.insurer	Organization		ClaimResponse-insurer
ClaimResponse	outcome	token	ClaimResponse.outcome			ClaimResponse-outcome
ClaimResponse	patient	reference	ClaimResponse.patient	Patient		ClaimResponse-patient
ClaimResponse	payment-date	date	ClaimResponse.payment.date			ClaimResponse-payment-date
ClaimResponse	request	reference	ClaimResponse.request	Claim		ClaimResponse-request
ClaimResponse	requestor	reference	ClaimResponse.requestor	Practitioner,Organization,PractitionerRole		ClaimResponse-requestor
ClaimResponse	status	token	ClaimResponse.status			ClaimResponse-status
ClaimResponse	use	token	ClaimResponse.use			ClaimResponse-use
ClinicalImpression	assessor	reference	ClinicalImpression.assessor	Practitioner,PractitionerRole		ClinicalImpression-assessor
ClinicalImpression	date	date	ClinicalImpression.date			clinical-date
ClinicalImpression	encounter	reference	ClinicalImpression.encounter	Encounter		ClinicalImpression-encounter
ClinicalImpression	finding-code	token	ClinicalImpression.finding.itemCodeableConcept			ClinicalImpression-finding-code
ClinicalImpression	finding-ref	reference	ClinicalImpression.finding.itemReference	Condition,Observation,Media		ClinicalImpression-finding-ref
ClinicalImpression	identifier	token	ClinicalImpression.identifier			ClinicalImpression-identifier
ClinicalImpression	investigation	reference	ClinicalImpression.investigation.item	RiskAssessment,FamilyMemberHistory,Observation,Media,DiagnosticReport,ImagingStudy,QuestionnaireResponse		ClinicalImpression-investigation
ClinicalImpression	patient	reference	ClinicalImpression.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
ClinicalImpression	previous	reference	ClinicalImpression.previous	ClinicalImpression		ClinicalImpression-previous
ClinicalImpression	problem	reference	ClinicalImpression.problem	Condition,AllergyIntolerance		ClinicalImpression-problem
ClinicalImpression	status	token	ClinicalImpression.status			ClinicalImpression-status
ClinicalImpression	subject	reference	ClinicalImpression.subject	Group,Patient		ClinicalImpression-subject
ClinicalImpression	supporting-info	reference	ClinicalImpression.supportingInfo			ClinicalImpression-supporting-info
CodeSystem	code	token	CodeSystem.concept.code			CodeSystem-code
CodeSystem	content-mode	token	CodeSystem.content			CodeSystem-content-mode
CodeSystem	context	token	(CodeSystem.useContext.value as CodeableConcept)			conformance-context
CodeSystem	context-quantity	quantity	(CodeSystem.useContext.value as Quantity) | (CodeSystem.useContext.value as Range)			conformance-context-quantity
CodeSystem	context-type	token	CodeSystem.useContext.code			conformance-context-type
CodeSystem	context-type-quantity	composite	CodeSystem.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	conformance-context-type-quantity
CodeSystem	context-type-value	composite	CodeSystem.useContext		context-type=code;context=value.as(CodeableConcept)	conformance-context-type-value
CodeSystem	date	date	CodeSystem.date			conformance-date
CodeSystem	description	string	CodeSystem.description			conformance-description
CodeSystem	identifier	token	CodeSystem.identifier			conformance-identifier
CodeSystem	jurisdiction	token	CodeSystem.jurisdiction			conformance-jurisdiction
CodeSystem	language	token	CodeSystem.concept.designation.language			CodeSystem-language
CodeSystem	name	string	CodeSystem.name			conformance-name
CodeSystem	publisher	string	CodeSystem.publisher			conformance-publisher
CodeSystem	status	token	CodeSystem.status			conformance-status
CodeSystem	supplements	reference	CodeSystem.supplements	CodeSystem		CodeSystem-supplements
CodeSystem	system	uri	CodeSystem.url			CodeSystem-system
CodeSystem	title	string	CodeSystem.title			conformance-title
CodeSystem	url	uri	CodeSystem.url			conformance-url
CodeSystem	version	token	CodeSystem.version			conformance-version
Communication	based-on	reference	Communication.basedOn			Communication-based-on
Communication	category	token	Communication.category			Communication-category
Communication	encounter	reference	Communication.encounter	Encounter		Communication-encounter
Communication	identifier	token	Communication.identifier			Communication-identifier
Communication	instantiates-canonical	reference	Communication.instantiatesCanonical	Questionnaire,Measure,PlanDefinition,OperationDefinition,ActivityDefinition		Communication-instantiates-canonical
Communication	instantiates-uri	uri	Communication.instantiatesUri			Communication-instantiates-uri
Communication	medium	token	Communication.medium			Communication-medium
Communication	part-of	reference	Communication.partOf			Communication-part-of
Communication	patient	reference	Communication.subject.where(resolve() is Patient)	Patient		Communication-patient
Communication	received	date	Communication.received			Communication-received
Communication	recipient	reference	Communication.recipient	Practitioner,Group,Organization,CareTeam,Device,Patient,HealthcareService,PractitionerRole,RelatedPerson		Communication-recipient
Communication	sender	reference	Communication.sender	Practitioner,Organization,Device,Patient,HealthcareService,PractitionerRole,RelatedPerson		Communication-sender
Communication	sent	date	Communication.sent			Communication-sent
Communication	status	token	Communication.status			Communication-status
Communication	subject	reference	Communication.subject	Group,Patient		Communication-subject
CommunicationRequest	authored	date	CommunicationRequest.authoredOn			CommunicationRequest-authored
CommunicationRequest	based-on	reference	CommunicationRequest.basedOn			CommunicationRequest-based-on
CommunicationRequest	category	token	CommunicationRequest.category			CommunicationRequest-category
CommunicationRequest	encounter	reference	CommunicationRequest.encounter	Encounter		CommunicationRequest-encounter
CommunicationRequest	group-identifier	token	CommunicationRequest.groupIdentifier			CommunicationRequest-group-identifier
CommunicationRequest	identifier	token	CommunicationRequest.identifier			CommunicationRequest-identifier
CommunicationRequest	medium	token	CommunicationRequest.medium			CommunicationRequest-medium
CommunicationRequest	occurrence	date	(CommunicationRequest.occurrence as dateTime)			CommunicationRequest-occurrence
CommunicationRequest	patient	reference	CommunicationRequest.subject.where(resolve() is Patient)	Patient		CommunicationRequest-patient
CommunicationRequest	priority	token	CommunicationRequest.priority			CommunicationRequest-priority
CommunicationRequest	recipient	reference	CommunicationRequest.recipient	Practitioner,Group,Organization,CareTeam,Device,Patient,HealthcareService,PractitionerRole,RelatedPerson		CommunicationRequest-recipient
CommunicationRequest	replaces	reference	CommunicationRequest.replaces	CommunicationRequest		CommunicationRequest-replaces
CommunicationRequest	requester	reference	CommunicationRequest.requester	Practitioner,Organization,Device,Patient,PractitionerRole,RelatedPerson		CommunicationRequest-requester
CommunicationRequest	sender	reference	CommunicationRequest.sender	Practitioner,Organization,Device,Patient,HealthcareService,PractitionerRole,RelatedPerson		CommunicationRequest-sender
CommunicationRequest	status	token	CommunicationRequest.status			CommunicationRequest-status
CommunicationRequest	subject	reference	CommunicationRequest.subject	Group,Patient		CommunicationRequest-subject
CompartmentDefinition	code	token	CompartmentDefinition.code			CompartmentDefinition-code
CompartmentDefinition	context	token	(CompartmentDefinition.useContext.value as CodeableConcept)			conformance-context
CompartmentDefinition	context-quantity	quantity	(CompartmentDefinition.useContext.value as Quantity) | (CompartmentDefinition.useContext.value as Range)			conformance-context-quantity
CompartmentDefinition	context-type	token	CompartmentDefinition.useContext.code			conformance-context-type
CompartmentDefinition	context-type-quantity	composite	CompartmentDefinition.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	conformance-context-type-quantity
CompartmentDefinition	context-type-value	composite	CompartmentDefinition.useContext		context-type=code;context=value.as(CodeableConcept)	conformance-context-type-value
CompartmentDefinition	date	date	CompartmentDefinition.date			conformance-date
CompartmentDefinition	description	string	CompartmentDefinition.description			conformance-description
CompartmentDefinition	name	string	CompartmentDefinition.name			conformance-name
CompartmentDefinition	publisher	string	CompartmentDefinition.publisher			conformance-publisher
CompartmentDefinition	resource	token	CompartmentDefinition.resource.code			CompartmentDefinition-resource
CompartmentDefinition	status	token	CompartmentDefinition.status			conformance-status
CompartmentDefinition	url	uri	CompartmentDefinition.url			conformance-url
CompartmentDefinition	version	token	CompartmentDefinition.version			conformance-version
Composition	attester	reference	Composition.attester.party	Practitioner,Organization,Patient,PractitionerRole,RelatedPerson		Composition-attester
Composition	author	reference	Composition.author	Practitioner,Organization,Device,Patient,PractitionerRole,RelatedPerson		Composition-author
Composition	category	token	Composition.category			Composition-category
Composition	confidentiality	token	Composition.confidentiality			Composition-confidentiality
Composition	context	token	Composition.event.code			Composition-context
Composition	date	date	Composition.date			clinical-date
Composition	encounter	reference	Composition.encounter	Encounter,EpisodeOfCare		clinical-encounter
Composition	entry	reference	Composition.section.entry			Composition-entry
Composition	identifier	token	Composition.identifier			clinical-identifier
Composition	patient	reference	Composition.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
Composition	period	date	Composition.event.period			Composition-period
Composition	related-id	token	(Composition.relatesTo.target as Identifier)			Composition-related-id
Composition	related-ref	reference	(Composition.relatesTo.target as Reference)	Composition		Composition-related-ref
Composition	section	token	Composition.section.code			Composition-section
Composition	status	token	Composition.status			Composition-status
Composition	subject	reference	Composition.subject			Composition-subject
Composition	title	string	Composition.title			Composition-title
Composition	type	token	Composition.type			clinical-type
ConceptMap	context	token	(ConceptMap.useContext.value as CodeableConcept)			conformance-context
ConceptMap	context-quantity	quantity	(ConceptMap.useContext.value as Quantity) | (ConceptMap.useContext.value as Range)			conformance-context-quantity
ConceptMap	context-type	token	ConceptMap.useContext.code			conformance-context-type
ConceptMap	context-type-quantity	composite	ConceptMap.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	conformance-context-type-quantity
ConceptMap	context-type-value	composite	ConceptMap.useContext		context-type=code;context=value.as(CodeableConcept)	conformance-context-type-value
ConceptMap	date	date	ConceptMap.date			conformance-date
ConceptMap	dependson	uri	ConceptMap.group.element.target.dependsOn.property			ConceptMap-dependson
ConceptMap	description	string	ConceptMap.description			conformance-description
ConceptMap	identifier	token	ConceptMap.identifier			conformance-identifier
ConceptMap	jurisdiction	token	ConceptMap.jurisdiction			conformance-jurisdiction
ConceptMap	name	string	ConceptMap.name			conformance-name
ConceptMap	other	reference	ConceptMap.group.unmapped.url	ConceptMap		ConceptMap-other
ConceptMap	product	uri	ConceptMap.group.element.target.product.property			ConceptMap-product
ConceptMap	publisher	string	ConceptMap.publisher			conformance-publisher
ConceptMap	source	reference	(ConceptMap.source as canonical)	ValueSet		ConceptMap-source
ConceptMap	source-code	token	ConceptMap.group.element.code			ConceptMap-source-code
ConceptMap	source-system	uri	ConceptMap.group.source			ConceptMap-source-system
ConceptMap	source-uri	reference	(ConceptMap.source as uri)	ValueSet		ConceptMap-source-uri
ConceptMap	status	token	ConceptMap.status			conformance-status
ConceptMap	target	reference	(ConceptMap.target as canonical)	ValueSet		ConceptMap-target
ConceptMap	target-code	token	ConceptMap.group.element.target.code			ConceptMap-target-code
ConceptMap	target-system	uri	ConceptMap.group.target			ConceptMap-target-system
ConceptMap	target-uri	reference	(ConceptMap.target as uri)	ValueSet		ConceptMap-target-uri
ConceptMap	title	string	ConceptMap.title			conformance-title
ConceptMap	url	uri	ConceptMap.url			conformance-url
ConceptMap	version	token	ConceptMap.version			conformance-version
Condition	abatement-age	quantity	Condition.abatement.as(Age) | Condition.abatement.as(Range)			Condition-abatement-age
Condition	abatement-date	date	Condition.abatement.as(dateTime) | Condition.abatement.as(Period)			Condition-abatement-date
Condition	abatement-string	string	Condition.abatement.as(string)			Condition-abatement-string
Condition	asserter	reference	Condition.asserter	Practitioner,Patient,PractitionerRole,RelatedPerson		Condition-asserter
Condition	body-site	token	Condition.bodySite			Condition-body-site
Condition	category	token	Condition.category			Condition-category
Condition	clinical-status	token	Condition.clinicalStatus			Condition-clinical-status
Condition	code	token	Condition.code			clinical-code
Condition	encounter	reference	Condition.encounter	Encounter		Condition-encounter
Condition	evidence	token	Condition.evidence.code			Condition-evidence
Condition	evidence-detail	reference	Condition.evidence.detail			Condition-evidence-detail
Condition	identifier	token	Condition.identifier			clinical-identifier
Condition	onset-age	quantity	Condition.onset.as(Age) | Condition.onset.as(Range)			Condition-onset-age
Condition	onset-date	date	Condition.onset.as(dateTime) | Condition.onset.as(Period)			Condition-onset-date
Condition	onset-info	string	Condition.onset.as(string)			Condition-onset-info
Condition	patient	reference	Condition.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
Condition	recorded-date	date	Condition.recordedDate			Condition-recorded-date
Condition	severity	token	Condition.severity			Condition-severity
Condition	stage	token	Condition.stage.summary			Condition-stage
Condition	subject	reference	Condition.subject	Group,Patient		Condition-subject
Condition	verification-status	token	Condition.verificationStatus			Condition-verification-status
Consent	action	token	Consent.provision.action			Consent-action
Consent	actor	reference	Consent.provision.actor.reference	Practitioner,Group,Organization,CareTeam,Device,Patient,PractitionerRole,RelatedPerson		Consent-actor
Consent	category	token	Consent.category			Consent-category
Consent	consentor	reference	Consent.performer	Practitioner,Organization,Patient,PractitionerRole,RelatedPerson		Consent-consentor
Consent	data	reference	Consent.provision.data.reference			Consent-data
Consent	date	date	Consent.dateTime			clinical-date
Consent	identifier	token	Consent.identifier			clinical-identifier
Consent	organization	reference	Consent.organization	Organization		Consent-organization
Consent	patient	reference	Consent.patient	Patient,Group		clinical-patient
Consent	period	date	Consent.provision.period			Consent-period
Consent	purpose	token	Consent.provision.purpose			Consent-purpose
Consent	scope	token	Consent.scope			Consent-scope
Consent	security-label	token	Consent.provision.securityLabel			Consent-security-label
Consent	source-reference	reference	Consent.source	Consent,Contract,QuestionnaireResponse,DocumentReference		Consent-source-reference
Consent	status	token	Consent.status			Consent-status
Contract	authority	reference	Contract.authority	Organization		Contract-authority
Contract	domain	reference	Contract.domain	Location		Contract-domain
Contract	identifier	token	Contract.identifier			Contract-identifier
Contract	instantiates	uri	Contract.instantiatesUri			Contract-instantiates
Contract	issued	date	Contract.issued			Contract-issued
Contract	patient	reference	Contract.subject.where(resolve() is Patient)	Patient		Contract-patient
Contract	signer	reference	Contract.signer.party	Practitioner,Organization,Patient,PractitionerRole,RelatedPerson		Contract-signer
Contract	status	token	Contract.status			Contract-status
Contract	subject	reference	Contract.subject			Contract-subject
Contract	url	uri	Contract.url			Contract-url
Coverage	beneficiary	reference	Coverage.beneficiary	Patient		Coverage-beneficiary
Coverage	class-type	token	Coverage.class.type			Coverage-class-type
Coverage	class-value	string	Coverage.class.value			Coverage-class-value
Coverage	dependent	string	Coverage.dependent			Coverage-dependent
Coverage	identifier	token	Coverage.identifier			Coverage-identifier
Coverage	patient	reference	Coverage.beneficiary	Patient		Coverage-patient
Coverage	payor	reference	Coverage.payor	Organization,Patient,RelatedPerson		Coverage-payor
Coverage	policy-holder	reference	Coverage.policyHolder	Organization,Patient,RelatedPerson		Coverage-policy-holder
Coverage	status	token	Coverage.status			Coverage-status
Coverage	subscriber	reference	Coverage.subscriber	Patient,RelatedPerson		Coverage-subscriber
Coverage	type	token	Coverage.type			Coverage-type
CoverageEligibilityRequest	created	date	CoverageEligibilityRequest.created			CoverageEligibilityRequest-created
CoverageEligibilityRequest	enterer	reference	CoverageEligibilityRequest.enterer	Practitioner,PractitionerRole		CoverageEligibilityRequest-enterer
CoverageEligibilityRequest	facility	reference	CoverageEligibilityRequest.facility	Location		CoverageEligibilityRequest-facility
CoverageEligibilityRequest	identifier	token	CoverageEligibilityRequest.identifier			CoverageEligibilityRequest-identifier
CoverageEligibilityRequest	patient	reference	CoverageEligibilityRequest.patient	Patient		CoverageEligibilityRequest-patient
CoverageEligibilityRequest	provider	reference	CoverageEligibilityRequest.provider	Practitioner,Organization,PractitionerRole		CoverageEligibilityRequest-provider
CoverageEligibilityRequest	status	token	CoverageEligibilityRequest.status			CoverageEligibilityRequest-status
CoverageEligibilityResponse	created	date	CoverageEligibilityResponse.created			CoverageEligibilityResponse-created
CoverageEligibilityResponse	disposition	string	CoverageEligibilityResponse.disposition			CoverageEligibilityResponse-disposition
CoverageEligibilityResponse	identifier	token	CoverageEligibilityResponse.identifier			CoverageEligibilityResponse-identifier
CoverageEligibilityResponse	insurer	reference	CoverageEligibilityResponse.insurer	Organization		CoverageEligibilityResponse-insurer
CoverageEligibilityResponse	outcome	token	CoverageEligibilityResponse.outcome			CoverageEligibilityResponse-outcome
CoverageEligibilityResponse	patient	reference	CoverageEligibilityResponse.patient	Patient		CoverageEligibilityResponse-patient
CoverageEligibilityResponse	request	reference	CoverageEligibilityResponse.request	CoverageEligibilityRequest		CoverageEligibilityResponse-request
CoverageEligibilityResponse	requestor	reference	CoverageEligibilityResponse.requestor	Practitioner,Organization,PractitionerRole		CoverageEligibilityResponse-requestor
CoverageEligibilityResponse	status	token	CoverageEligibilityResponse.status			CoverageEligibilityResponse-status
DetectedIssue	author	reference	DetectedIssue.author	Practitioner,Device,PractitionerRole		DetectedIssue-author
DetectedIssue	code	token	DetectedIssue.code			DetectedIssue-code
DetectedIssue	identified	date	DetectedIssue.identified			DetectedIssue-identified
DetectedIssue	identifier	token	DetectedIssue.identifier			clinical-identifier
DetectedIssue	implicated	reference	DetectedIssue.implicated			DetectedIssue-implicated
DetectedIssue	patient	reference	DetectedIssue.patient	Patient,Group		clinical-patient
Device	device-name	string	Device.deviceName.name | Device.type.coding.display | Device.type.text			Device-device-name
Device	identifier	token	Device.identifier			Device-identifier
Device	location	reference	Device.location	Location		Device-location
Device	manufacturer	string	Device.manufacturer			Device-manufacturer
Device	model	string	Device.modelNumber			Device-model
Device	organization	reference	Device.owner	Organization		Device-organization
Device	patient	reference	Device.patient	Patient		Device-patient
Device	status	token	Device.status			Device-status
Device	type	token	Device.type			Device-type
Device	udi-carrier	string	Device.udiCarrier.carrierHRF			Device-udi-carrier
Device	udi-di	string	Device.udiCarrier.deviceIdentifier			Device-udi-di
Device	url	uri	Device.url			Device-url
DeviceDefinition	identifier	token	DeviceDefinition.identifier			DeviceDefinition-identifier
DeviceDefinition	parent	reference	DeviceDefinition.parentDevice	DeviceDefinition		DeviceDefinition-parent
DeviceDefinition	type	token	DeviceDefinition.type			DeviceDefinition-type
DeviceMetric	category	token	DeviceMetric.category			DeviceMetric-category
DeviceMetric	identifier	token	DeviceMetric.identifier			DeviceMetric-identifier
DeviceMetric	parent	reference	DeviceMetric.parent	Device		DeviceMetric-parent
DeviceMetric	source	reference	DeviceMetric.source	Device		DeviceMetric-source
DeviceMetric	type	token	DeviceMetric.type			DeviceMetric-type
DeviceRequest	authored-on	date	DeviceRequest.authoredOn			DeviceRequest-authored-on
DeviceRequest	based-on	reference	DeviceRequest.basedOn			DeviceRequest-based-on
DeviceRequest	code	token	(DeviceRequest.code as CodeableConcept)			clinical-code
DeviceRequest	device	reference	(DeviceRequest.code as Reference)	Device		DeviceRequest-device
DeviceRequest	encounter	reference	DeviceRequest.encounter	Encounter,EpisodeOfCare		clinical-encounter
DeviceRequest	event-date	date	(DeviceRequest.occurrence as dateTime) | (DeviceRequest.occurrence as Period)			DeviceRequest-event-date
DeviceRequest	group-identifier	token	DeviceRequest.groupIdentifier			DeviceRequest-group-identifier
DeviceRequest	identifier	token	DeviceRequest.identifier			clinical-identifier
DeviceRequest	instantiates-canonical	reference	DeviceRequest.instantiatesCanonical	PlanDefinition,ActivityDefinition		DeviceRequest-instantiates-canonical
DeviceRequest	instantiates-uri	uri	DeviceRequest.instantiatesUri			DeviceRequest-instantiates-uri
DeviceRequest	insurance	reference	DeviceRequest.insurance	ClaimResponse,Coverage		DeviceRequest-insurance
DeviceRequest	intent	token	DeviceRequest.intent			DeviceRequest-intent
DeviceRequest	patient	reference	DeviceRequest.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
DeviceRequest	performer	reference	DeviceRequest.performer	Practitioner,Organization,CareTeam,Device,Patient,HealthcareService,PractitionerRole,RelatedPerson		DeviceRequest-performer
DeviceRequest	prior-request	reference	DeviceRequest.priorRequest			DeviceRequest-prior-request
DeviceRequest	requester	reference	DeviceRequest.requester	Practitioner,Organization,Device,PractitionerRole		DeviceRequest-requester
DeviceRequest	status	token	DeviceRequest.status			DeviceRequest-status
DeviceRequest	subject	reference	DeviceRequest.subject	Group,Device,Patient,Location		DeviceRequest-subject
DeviceUseStatement	device	reference	DeviceUseStatement.device	Device		DeviceUseStatement-device
DeviceUseStatement	identifier	token	DeviceUseStatement.identifier			DeviceUseStatement-identifier
DeviceUseStatement	patient	reference	DeviceUseStatement.subject	Patient,Group		clinical-patient
DeviceUseStatement	subject	reference	DeviceUseStatement.subject	Group,Patient		DeviceUseStatement-subject
DiagnosticReport	based-on	reference	DiagnosticReport.basedOn	CarePlan,MedicationRequest,NutritionOrder,ServiceRequest,ImmunizationRecommendation		DiagnosticReport-based-on
DiagnosticReport	category	token	DiagnosticReport.category			DiagnosticReport-category
DiagnosticReport	code	token	DiagnosticReport.code			clinical-code
DiagnosticReport	conclusion	token	DiagnosticReport.conclusionCode			DiagnosticReport-conclusion
DiagnosticReport	date	date	DiagnosticReport.effective			clinical-date
DiagnosticReport	encounter	reference	DiagnosticReport.encounter	Encounter,EpisodeOfCare		clinical-encounter
DiagnosticReport	identifier	token	DiagnosticReport.identifier			clinical-identifier
DiagnosticReport	issued	date	DiagnosticReport.issued			DiagnosticReport-issued
DiagnosticReport	media	reference	DiagnosticReport.media.link	Media		DiagnosticReport-media
DiagnosticReport	patient	reference	DiagnosticReport.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
DiagnosticReport	performer	reference	DiagnosticReport.performer	Practitioner,Organization,CareTeam,PractitionerRole		DiagnosticReport-performer
DiagnosticReport	result	reference	DiagnosticReport.result	Observation		DiagnosticReport-result
DiagnosticReport	results-interpreter	reference	DiagnosticReport.resultsInterpreter	Practitioner,Organization,CareTeam,PractitionerRole		DiagnosticReport-results-interpreter
DiagnosticReport	specimen	reference	DiagnosticReport.specimen	Specimen		DiagnosticReport-specimen
DiagnosticReport	status	token	DiagnosticReport.status			DiagnosticReport-status
DiagnosticReport	subject	reference	DiagnosticReport.subject	Group,Device,Patient,Location		DiagnosticReport-subject
DocumentManifest	author	reference	DocumentManifest.author	Practitioner,Organization,Device,Patient,PractitionerRole,RelatedPerson		DocumentManifest-author
DocumentManifest	created	date	DocumentManifest.created			DocumentManifest-created
DocumentManifest	description	string	DocumentManifest.description			DocumentManifest-description
DocumentManifest	identifier	token	DocumentManifest.masterIdentifier | DocumentManifest.identifier			clinical-identifier
DocumentManifest	item	reference	DocumentManifest.content			DocumentManifest-item
DocumentManifest	patient	reference	DocumentManifest.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
DocumentManifest	recipient	reference	DocumentManifest.recipient	Practitioner,Organization,Patient,PractitionerRole,RelatedPerson		DocumentManifest-recipient
DocumentManifest	related-id	token	DocumentManifest.related.identifier			DocumentManifest-related-id
DocumentManifest	related-ref	reference	DocumentManifest.related.ref			DocumentManifest-related-ref
DocumentManifest	source	uri	DocumentManifest.source			DocumentManifest-source
DocumentManifest	status	token	DocumentManifest.status			DocumentManifest-status
DocumentManifest	subject	reference	DocumentManifest.subject	Practitioner,Group,Device,Patient		DocumentManifest-subject
DocumentManifest	type	token	DocumentManifest.type			clinical-type
DocumentReference	authenticator	reference	DocumentReference.authenticator	Practitioner,Organization,PractitionerRole		DocumentReference-authenticator
DocumentReference	author	reference	DocumentReference.author	Practitioner,Organization,Device,Patient,PractitionerRole,RelatedPerson		DocumentReference-author
DocumentReference	category	token	DocumentReference.category			DocumentReference-category
DocumentReference	contenttype	token	DocumentReference.content.attachment.contentType			DocumentReference-contenttype
DocumentReference	custodian	reference	DocumentReference.custodian	Organization		DocumentReference-custodian
DocumentReference	date	date	DocumentReference.date			DocumentReference-date
DocumentReference	description	string	DocumentReference.description			DocumentReference-description
DocumentReference	encounter	reference	DocumentReference.context.encounter	Encounter,EpisodeOfCare		clinical-encounter
DocumentReference	event	token	DocumentReference.context.event			DocumentReference-event
DocumentReference	facility	token	DocumentReference.context.facilityType			DocumentReference-facility
DocumentReference	format	token	DocumentReference.content.format			DocumentReference-format
DocumentReference	identifier	token	DocumentReference.masterIdentifier | DocumentReference.identifier			clinical-identifier
DocumentReference	language	token	DocumentReference.content.attachment.language			DocumentReference-language
DocumentReference	location	uri	DocumentReference.content.attachment.url			DocumentReference-location
DocumentReference	patient	reference	DocumentReference.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
DocumentReference	period	date	DocumentReference.context.period			DocumentReference-period
DocumentReference	related	reference	DocumentReference.context.related			DocumentReference-related
DocumentReference	relatesto	reference	DocumentReference.relatesTo.target	DocumentReference		DocumentReference-relatesto
DocumentReference	relation	token	DocumentReference.relatesTo.code			DocumentReference-relation
DocumentReference	relationship	composite	DocumentReference.relatesTo		relatesto=target;relation=code	DocumentReference-relationship
DocumentReference	security-label	token	DocumentReference.securityLabel			DocumentReference-security-label
DocumentReference	setting	token	DocumentReference.context.practiceSetting			DocumentReference-setting
DocumentReference	status	token	DocumentReference.status			DocumentReference-status
DocumentReference	subject	reference	DocumentReference.subject	Practitioner,Group,Device,Patient		DocumentReference-subject
DocumentReference	type	token	DocumentReference.type			clinical-type
DomainResource	_text	string				DomainResource-text
EffectEvidenceSynthesis	context	token	(EffectEvidenceSynthesis.useContext.value as CodeableConcept)			EffectEvidenceSynthesis-context
EffectEvidenceSynthesis	context-quantity	quantity	(EffectEvidenceSynthesis.useContext.value as Quantity) | (EffectEvidenceSynthesis.useContext.value as Range)			EffectEvidenceSynthesis-context-quantity
EffectEvidenceSynthesis	context-type	token	EffectEvidenceSynthesis.useContext.code			EffectEvidenceSynthesis-context-type
EffectEvidenceSynthesis	context-type-quantity	composite	EffectEvidenceSynthesis.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	EffectEvidenceSynthesis-context-type-quantity
EffectEvidenceSynthesis	context-type-value	composite	EffectEvidenceSynthesis.useContext		context-type=code;context=value.as(CodeableConcept)	EffectEvidenceSynthesis-context-type-value
EffectEvidenceSynthesis	date	date	EffectEvidenceSynthesis.date			EffectEvidenceSynthesis-date
EffectEvidenceSynthesis	description	string	EffectEvidenceSynthesis.description			EffectEvidenceSynthesis-description
EffectEvidenceSynthesis	effective	date	EffectEvidenceSynthesis.effectivePeriod			EffectEvidenceSynthesis-effective
EffectEvidenceSynthesis	identifier	token	EffectEvidenceSynthesis.identifier			EffectEvidenceSynthesis-identifier
EffectEvidenceSynthesis	jurisdiction	token	EffectEvidenceSynthesis.jurisdiction			EffectEvidenceSynthesis-jurisdiction
EffectEvidenceSynthesis	name	string	EffectEvidenceSynthesis.name			EffectEvidenceSynthesis-name
EffectEvidenceSynthesis	publisher	string	EffectEvidenceSynthesis.publisher			EffectEvidenceSynthesis-publisher
EffectEvidenceSynthesis	status	token	EffectEvidenceSynthesis.status			EffectEvidenceSynthesis-status
EffectEvidenceSynthesis	title	string	EffectEvidenceSynthesis.title			EffectEvidenceSynthesis-title
EffectEvidenceSynthesis	url	uri	EffectEvidenceSynthesis.url			EffectEvidenceSynthesis-url
EffectEvidenceSynthesis	version	token	EffectEvidenceSynthesis.version			EffectEvidenceSynthesis-version
Encounter	account	reference	Encounter.account	Account		Encounter-account
Encounter	appointment	reference	Encounter.appointment	Appointment		Encounter-appointment
Encounter	based-on	reference	Encounter.basedOn	ServiceRequest		Encounter-based-on
Encounter	class	token	Encounter.class			Encounter-class
Encounter	date	date	Encounter.period			clinical-date
Encounter	diagnosis	reference	Encounter.diagnosis.condition	Condition,Procedure		Encounter-diagnosis
Encounter	episode-of-care	reference	Encounter.episodeOfCare	EpisodeOfCare		Encounter-episode-of-care
Encounter	identifier	token	Encounter.identifier			clinical-identifier
Encounter	length	quantity	Encounter.length			Encounter-length
Encounter	location	reference	Encounter.location.location	Location		Encounter-location
Encounter	location-period	date	Encounter.location.period			Encounter-location-period
Encounter	part-of	reference	Encounter.partOf	Encounter		Encounter-part-of
Encounter	participant	reference	Encounter.participant.individual	Practitioner,PractitionerRole,RelatedPerson		Encounter-participant
Encounter	participant-type	token	Encounter.participant.type			Encounter-participant-type
Encounter	patient	reference	Encounter.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
Encounter	practitioner	reference	Encounter.participant.individual.where(resolve() is Practitioner)	Practitioner		Encounter-practitioner
Encounter	reason-code	token	Encounter.reasonCode			Encounter-reason-code
Encounter	reason-reference	reference	Encounter.reasonReference	Condition,Observation,Procedure,ImmunizationRecommendation		Encounter-reason-reference
Encounter	service-provider	reference	Encounter.serviceProvider	Organization		Encounter-service-provider
Encounter	special-arrangement	token	Encounter.hospitalization.specialArrangement			Encounter-special-arrangement
Encounter	status	token	Encounter.status			Encounter-status
Encounter	subject	reference	Encounter.subject	Group,Patient		Encounter-subject
Encounter	type	token	Encounter.type			clinical-type
Endpoint	connection-type	token	Endpoint.connectionType			Endpoint-connection-type
Endpoint	identifier	token	Endpoint.identifier			Endpoint-identifier
Endpoint	name	string	Endpoint.name			Endpoint-name
Endpoint	organization	reference	Endpoint.managingOrganization	Organization		Endpoint-organization
Endpoint	payload-type	token	Endpoint.payloadType			Endpoint-payload-type
Endpoint	status	token	Endpoint.status			Endpoint-status
EnrollmentRequest	identifier	token	EnrollmentRequest.identifier			EnrollmentRequest-identifier
EnrollmentRequest	patient	reference	EnrollmentRequest.candidate	Patient		EnrollmentRequest-patient
EnrollmentRequest	status	token	EnrollmentRequest.status			EnrollmentRequest-status
EnrollmentRequest	subject	reference	EnrollmentRequest.candidate	Patient		EnrollmentRequest-subject
EnrollmentResponse	identifier	token	EnrollmentResponse.identifier			EnrollmentResponse-identifier
EnrollmentResponse	request	reference	EnrollmentResponse.request	EnrollmentRequest		EnrollmentResponse-request
EnrollmentResponse	status	token	EnrollmentResponse.status			EnrollmentResponse-status
EpisodeOfCare	care-manager	reference	EpisodeOfCare.careManager.where(resolve() is Practitioner)	Practitioner		EpisodeOfCare-care-manager
EpisodeOfCare	condition	reference	EpisodeOfCare.diagnosis.condition	Condition		EpisodeOfCare-condition
EpisodeOfCare	date	date	EpisodeOfCare.period			clinical-date
EpisodeOfCare	identifier	token	EpisodeOfCare.identifier			clinical-identifier
EpisodeOfCare	incoming-referral	reference	EpisodeOfCare.referralRequest	ServiceRequest		EpisodeOfCare-incoming-referral
EpisodeOfCare	organization	reference	EpisodeOfCare.managingOrganization	Organization		EpisodeOfCare-organization
EpisodeOfCare	patient	reference	EpisodeOfCare.patient	Patient,Group		clinical-patient
EpisodeOfCare	status	token	EpisodeOfCare.status			EpisodeOfCare-status
EpisodeOfCare	type	token	EpisodeOfCare.type			clinical-type
EventDefinition	composed-of	reference	EventDefinition.relatedArtifact.where(type='composed-of').resource			EventDefinition-composed-of
EventDefinition	context	token	(EventDefinition.useContext.value as CodeableConcept)			EventDefinition-context
EventDefinition	context-quantity	quantity	(EventDefinition.useContext.value as Quantity) | (EventDefinition.useContext.value as Range)			EventDefinition-context-quantity
EventDefinition	context-type	token	EventDefinition.useContext.code			EventDefinition-context-type
EventDefinition	context-type-quantity	composite	EventDefinition.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	EventDefinition-context-type-quantity
EventDefinition	context-type-value	composite	EventDefinition.useContext		context-type=code;context=value.as(CodeableConcept)	EventDefinition-context-type-value
EventDefinition	date	date	EventDefinition.date			EventDefinition-date
EventDefinition	depends-on	reference	EventDefinition.relatedArtifact.where(type='depends-on').resource			EventDefinition-depends-on
EventDefinition	derived-from	reference	EventDefinition.relatedArtifact.where(type='derived-from').resource			EventDefinition-derived-from
EventDefinition	description	string	EventDefinition.description			EventDefinition-description
EventDefinition	effective	date	EventDefinition.effectivePeriod			EventDefinition-effective
EventDefinition	identifier	token	EventDefinition.identifier			EventDefinition-identifier
EventDefinition	jurisdiction	token	EventDefinition.jurisdiction			EventDefinition-jurisdiction
EventDefinition	name	string	EventDefinition.name			EventDefinition-name
EventDefinition	predecessor	reference	EventDefinition.relatedArtifact.where(type='predecessor').resource			EventDefinition-predecessor
EventDefinition	publisher	string	EventDefinition.publisher			EventDefinition-publisher
EventDefinition	status	token	EventDefinition.status			EventDefinition-status
EventDefinition	successor	reference	EventDefinition.relatedArtifact.where(type='successor').resource			EventDefinition-successor
EventDefinition	title	string	EventDefinition.title			EventDefinition-title
EventDefinition	topic	token	EventDefinition.topic			EventDefinition-topic
EventDefinition	url	uri	EventDefinition.url			EventDefinition-url
EventDefinition	version	token	EventDefinition.version			EventDefinition-version
Evidence	composed-of	reference	Evidence.relatedArtifact.where(type='composed-of').resource			Evidence-composed-of
Evidence	context	token	(Evidence.useContext.value as CodeableConcept)			Evidence-context
Evidence	context-quantity	quantity	(Evidence.useContext.value as Quantity) | (Evidence.useContext.value as Range)			Evidence-context-quantity
Evidence	context-type	token	Evidence.useContext.code			Evidence-context-type
Evidence	context-type-quantity	composite	Evidence.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	Evidence-context-type-quantity
Evidence	context-type-value	composite	Evidence.useContext		context-type=code;context=value.as(CodeableConcept)	Evidence-context-type-value
Evidence	date	date	Evidence.date			Evidence-date
Evidence	depends-on	reference	Evidence.relatedArtifact.where(type='depends-on').resource			Evidence-depends-on
Evidence	derived-from	reference	Evidence.relatedArtifact.where(type='derived-from').resource			Evidence-derived-from
Evidence	description	string	Evidence.description			Evidence-description
Evidence	effective	date	Evidence.effectivePeriod			Evidence-effective
Evidence	identifier	token	Evidence.identifier			Evidence-identifier
Evidence	jurisdiction	token	Evidence.jurisdiction			Evidence-jurisdiction
Evidence	name	string	Evidence.name			Evidence-name
Evidence	predecessor	reference	Evidence.relatedArtifact.where(type='predecessor').resource			Evidence-predecessor
Evidence	publisher	string	Evidence.publisher			Evidence-publisher
Evidence	status	token	Evidence.status			Evidence-status
Evidence	successor	reference	Evidence.relatedArtifact.where(type='successor').resource			Evidence-successor
Evidence	title	string	Evidence.title			Evidence-title
Evidence	topic	token	Evidence.topic			Evidence-topic
Evidence	url	uri	Evidence.url			Evidence-url
Evidence	version	token	Evidence.version			Evidence-version
EvidenceVariable	composed-of	reference	EvidenceVariable.relatedArtifact.where(type='composed-of').resource			EvidenceVariable-composed-of
EvidenceVariable	context	token	(EvidenceVariable.useContext.value as CodeableConcept)			EvidenceVariable-context
EvidenceVariable	context-quantity	quantity	(EvidenceVariable.useContext.value as Quantity) | (EvidenceVariable.useContext.value as Range)			EvidenceVariable-context-quantity
EvidenceVariable	context-type	token	EvidenceVariable.useContext.code			EvidenceVariable-context-type
EvidenceVariable	context-type-quantity	composite	EvidenceVariable.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	EvidenceVariable-context-type-quantity
EvidenceVariable	context-type-value	composite	EvidenceVariable.useContext		context-type=code;context=value.as(CodeableConcept)	EvidenceVariable-context-type-value
EvidenceVariable	date	date	EvidenceVariable.date			EvidenceVariable-date
EvidenceVariable	depends-on	reference	EvidenceVariable.relatedArtifact.where(type='depends-on').resource			EvidenceVariable-depends-on
EvidenceVariable	derived-from	reference	EvidenceVariable.relatedArtifact.where(type='derived-from').resource			EvidenceVariable-derived-from
EvidenceVariable	description	string	EvidenceVariable.description			EvidenceVariable-description
EvidenceVariable	effective	date	EvidenceVariable.effectivePeriod			EvidenceVariable-effective
EvidenceVariable	identifier	token	EvidenceVariable.identifier			EvidenceVariable-identifier
EvidenceVariable	jurisdiction	token	EvidenceVariable.jurisdiction			EvidenceVariable-jurisdiction
EvidenceVariable	name	string	EvidenceVariable.name			EvidenceVariable-name
EvidenceVariable	predecessor	reference	EvidenceVariable.relatedArtifact.where(type='predecessor').resource			EvidenceVariable-predecessor
EvidenceVariable	publisher	string	EvidenceVariable.publisher			EvidenceVariable-publisher
EvidenceVariable	status	token	EvidenceVariable.status			EvidenceVariable-status
EvidenceVariable	successor	reference	EvidenceVariable.relatedArtifact.where(type='successor').resource			EvidenceVariable-successor
EvidenceVariable	title	string	EvidenceVariable.title			EvidenceVariable-title
EvidenceVariable	topic	token	EvidenceVariable.topic			EvidenceVariable-topic
EvidenceVariable	url	uri	EvidenceVariable.url			EvidenceVariable-url
EvidenceVariable	version	token	EvidenceVariable.version			EvidenceVariable-version
ExampleScenario	context	token	(ExampleScenario.useContext.value as CodeableConcept)			ExampleScenario-context
ExampleScenario	context-quantity	quantity	(ExampleScenario.useContext.value as Quantity) | (ExampleScenario.useContext.value as Range)			ExampleScenario-context-quantity
ExampleScenario	context-type	token	ExampleScenario.useContext.code			ExampleScenario-context-type
ExampleScenario	context-type-quantity	composite	ExampleScenario.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	ExampleScenario-context-type-quantity
ExampleScenario	context-type-value	composite	ExampleScenario.useContext		context-type=code;context=value.as(CodeableConcept)	ExampleScenario-context-type-value
ExampleScenario	date	date	ExampleScenario.date			ExampleScenario-date
ExampleScenario	identifier	token	ExampleScenario.identifier			ExampleScenario-identifier
ExampleScenario	jurisdiction	token	ExampleScenario.jurisdiction			ExampleScenario-jurisdiction
ExampleScenario	name	string	ExampleScenario.name			ExampleScenario-name
ExampleScenario	publisher	string	ExampleScenario.publisher			ExampleScenario-publisher
ExampleScenario	status	token	ExampleScenario.status			ExampleScenario-status
ExampleScenario	url	uri	ExampleScenario.url			ExampleScenario-url
ExampleScenario	version	token	ExampleScenario.version			ExampleScenario-version
ExplanationOfBenefit	care-team	reference	ExplanationOfBenefit.careTeam.provider	Practitioner,Organization,PractitionerRole		ExplanationOfBenefit-care-team
ExplanationOfBenefit	claim	reference	ExplanationOfBenefit.claim	Claim		ExplanationOfBenefit-claim
ExplanationOfBenefit	coverage	reference	ExplanationOfBenefit.insurance.coverage	Coverage		ExplanationOfBenefit-coverage
ExplanationOfBenefit	created	date	ExplanationOfBenefit.created			ExplanationOfBenefit-created
ExplanationOfBenefit	detail-udi	reference	ExplanationOfBenefit.item.detail.udi	Device		ExplanationOfBenefit-detail-udi
ExplanationOfBenefit	disposition	string	ExplanationOfBenefit.disposition			ExplanationOfBenefit-disposition
ExplanationOfBenefit	encounter	reference	ExplanationOfBenefit.item.encounter	Encounter		ExplanationOfBenefit-encounter
ExplanationOfBenefit	enterer	reference	ExplanationOfBenefit.enterer	Practitioner,PractitionerRole		ExplanationOfBenefit-enterer
ExplanationOfBenefit	facility	reference	ExplanationOfBenefit.facility	Location		ExplanationOfBenefit-facility
ExplanationOfBenefit	identifier	token	ExplanationOfBenefit.identifier			ExplanationOfBenefit-identifier
ExplanationOfBenefit	item-udi	reference	ExplanationOfBenefit.item.udi	Device		ExplanationOfBenefit-item-udi
ExplanationOfBenefit	patient	reference	ExplanationOfBenefit.patient	Patient		ExplanationOfBenefit-patient
ExplanationOfBenefit	payee	reference	ExplanationOfBenefit.payee.party	Practitioner,Organization,Patient,PractitionerRole,RelatedPerson		ExplanationOfBenefit-payee
ExplanationOfBenefit	procedure-udi	reference	ExplanationOfBenefit.procedure.udi	Device		ExplanationOfBenefit-procedure-udi
ExplanationOfBenefit	provider	reference	ExplanationOfBenefit.provider	Practitioner,Organization,PractitionerRole		ExplanationOfBenefit-provider
ExplanationOfBenefit	status	token	ExplanationOfBenefit.status			ExplanationOfBenefit-status
ExplanationOfBenefit	subdetail-udi	reference	ExplanationOfBenefit.item.detail.subDetail.udi	Device		ExplanationOfBenefit-subdetail-udi
FamilyMemberHistory	code	token	FamilyMemberHistory.condition.code			clinical-code
FamilyMemberHistory	date	date	FamilyMemberHistory.date			clinical-date
FamilyMemberHistory	identifier	token	FamilyMemberHistory.identifier			clinical-identifier
FamilyMemberHistory	instantiates-canonical	reference	FamilyMemberHistory.instantiatesCanonical	Questionnaire,Measure,PlanDefinition,OperationDefinition,ActivityDefinition		FamilyMemberHistory-instantiates-canonical
FamilyMemberHistory	instantiates-uri	uri	FamilyMemberHistory.instantiatesUri			FamilyMemberHistory-instantiates-uri
FamilyMemberHistory	patient	reference	FamilyMemberHistory.patient	Patient,Group		clinical-patient
FamilyMemberHistory	relationship	token	FamilyMemberHistory.relationship			FamilyMemberHistory-relationship
FamilyMemberHistory	sex	token	FamilyMemberHistory.sex			FamilyMemberHistory-sex
FamilyMemberHistory	status	token	FamilyMemberHistory.status			FamilyMemberHistory-status
Flag	author	reference	Flag.author	Practitioner,Organization,Device,Patient,PractitionerRole		Flag-author
Flag	date	date	Flag.period			clinical-date
Flag	encounter	reference	Flag.encounter	Encounter,EpisodeOfCare		clinical-encounter
Flag	identifier	token	Flag.identifier			Flag-identifier
Flag	patient	reference	Flag.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
Flag	subject	reference	Flag.subject	Practitioner,Group,Organization,Medication,Patient,PlanDefinition,Procedure,Location		Flag-subject
Goal	achievement-status	token	Goal.achievementStatus			Goal-achievement-status
Goal	category	token	Goal.category			Goal-category
Goal	identifier	token	Goal.identifier			clinical-identifier
Goal	lifecycle-status	token	Goal.lifecycleStatus			Goal-lifecycle-status
Goal	patient	reference	Goal.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
Goal	start-date	date	(Goal.start as date)			Goal-start-date
Goal	subject	reference	Goal.subject	Group,Organization,Patient		Goal-subject
Goal	target-date	date	(Goal.target.due as date)			Goal-target-date
GraphDefinition	context	token	(GraphDefinition.useContext.value as CodeableConcept)			conformance-context
GraphDefinition	context-quantity	quantity	(GraphDefinition.useContext.value as Quantity) | (GraphDefinition.useContext.value as Range)			conformance-context-quantity
GraphDefinition	context-type	token	GraphDefinition.useContext.code			conformance-context-type
GraphDefinition	context-type-quantity	composite	GraphDefinition.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	conformance-context-type-quantity
GraphDefinition	context-type-value	composite	GraphDefinition.useContext		context-type=code;context=value.as(CodeableConcept)	conformance-context-type-value
GraphDefinition	date	date	GraphDefinition.date			conformance-date
GraphDefinition	description	string	GraphDefinition.description			conformance-description
GraphDefinition	jurisdiction	token	GraphDefinition.jurisdiction			conformance-jurisdiction
GraphDefinition	name	string	GraphDefinition.name			conformance-name
GraphDefinition	publisher	string	GraphDefinition.publisher			conformance-publisher
GraphDefinition	start	token	GraphDefinition.start			GraphDefinition-start
GraphDefinition	status	token	GraphDefinition.status			conformance-status
GraphDefinition	url	uri	GraphDefinition.url			conformance-url
GraphDefinition	version	token	GraphDefinition.version			conformance-version
Group	actual	token	Group.actual			Group-actual
Group	characteristic	token	Group.characteristic.code			Group-characteristic
Group	characteristic-value	composite	Group.characteristic		characteristic=code;value=value	Group-characteristic-value
Group	code	token	Group.code			Group-code
Group	exclude	token	Group.characteristic.exclude			Group-exclude
Group	identifier	token	Group.identifier			Group-identifier
Group	managing-entity	reference	Group.managingEntity	Practitioner,Organization,PractitionerRole,RelatedPerson		Group-managing-entity
Group	member	reference	Group.member.entity	Practitioner,Group,Device,Medication,Patient,Substance,PractitionerRole		Group-member
Group	type	token	Group.type			Group-type
Group	value	token	(Group.characteristic.value as CodeableConcept) | (Group.characteristic.value as boolean)			Group-value
GuidanceResponse	identifier	token	GuidanceResponse.identifier			GuidanceResponse-identifier
GuidanceResponse	patient	reference	GuidanceResponse.subject.where(resolve() is Patient)	Patient		GuidanceResponse-patient
GuidanceResponse	request	token	GuidanceResponse.requestIdentifier			GuidanceResponse-request
GuidanceResponse	subject	reference	GuidanceResponse.subject	Group,Patient		GuidanceResponse-subject
HealthcareService	active	token	HealthcareService.active			HealthcareService-active
HealthcareService	characteristic	token	HealthcareService.characteristic			HealthcareService-characteristic
HealthcareService	coverage-area	reference	HealthcareService.coverageArea	Location		HealthcareService-coverage-area
HealthcareService	endpoint	reference	HealthcareService.endpoint	Endpoint		HealthcareService-endpoint
HealthcareService	identifier	token	HealthcareService.identifier			HealthcareService-identifier
HealthcareService	location	reference	HealthcareService.location	Location		HealthcareService-location
HealthcareService	name	string	HealthcareService.name			HealthcareService-name
HealthcareService	organization	reference	HealthcareService.providedBy	Organization		HealthcareService-organization
HealthcareService	program	token	HealthcareService.program			HealthcareService-program
HealthcareService	service-category	token	HealthcareService.category			HealthcareService-service-category
HealthcareService	service-type	token	HealthcareService.type			HealthcareService-service-type
HealthcareService	specialty	token	HealthcareService.specialty			HealthcareService-specialty
ImagingStudy	basedon	reference	ImagingStudy.basedOn	Appointment,AppointmentResponse,CarePlan,Task,ServiceRequest		ImagingStudy-basedon
ImagingStudy	bodysite	token	ImagingStudy.series.bodySite			ImagingStudy-bodysite
ImagingStudy	dicom-class	token	ImagingStudy.series.instance.sopClass			ImagingStudy-dicom-class
ImagingStudy	encounter	reference	ImagingStudy.encounter	Encounter		ImagingStudy-encounter
ImagingStudy	endpoint	reference	ImagingStudy.endpoint | ImagingStudy.series.endpoint	Endpoint		ImagingStudy-endpoint
ImagingStudy	identifier	token	ImagingStudy.identifier			clinical-identifier
ImagingStudy	instance	token	ImagingStudy.series.instance.uid			ImagingStudy-instance
ImagingStudy	interpreter	reference	ImagingStudy.interpreter	Practitioner,PractitionerRole		ImagingStudy-interpreter
ImagingStudy	modality	token	ImagingStudy.series.modality			ImagingStudy-modality
ImagingStudy	patient	reference	ImagingStudy.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
ImagingStudy	performer	reference	ImagingStudy.series.performer.actor	Practitioner,Organization,CareTeam,Device,Patient,PractitionerRole,RelatedPerson		ImagingStudy-performer
ImagingStudy	reason	token	ImagingStudy.reasonCode			ImagingStudy-reason
ImagingStudy	referrer	reference	ImagingStudy.referrer	Practitioner,PractitionerRole		ImagingStudy-referrer
ImagingStudy	series	token	ImagingStudy.series.uid			ImagingStudy-series
ImagingStudy	started	date	ImagingStudy.started			ImagingStudy-started
ImagingStudy	status	token	ImagingStudy.status			ImagingStudy-status
ImagingStudy	subject	reference	ImagingStudy.subject	Group,Device,Patient		ImagingStudy-subject
Immunization	date	date	Immunization.occurrence			clinical-date
Immunization	identifier	token	Immunization.identifier			clinical-identifier
Immunization	location	reference	Immunization.location	Location		Immunization-location
Immunization	lot-number	string	Immunization.lotNumber			Immunization-lot-number
Immunization	manufacturer	reference	Immunization.manufacturer	Organization		Immunization-manufacturer
Immunization	patient	reference	Immunization.patient	Patient,Group		clinical-patient
Immunization	performer	reference	Immunization.performer.actor	Practitioner,Organization,PractitionerRole		Immunization-performer
Immunization	reaction	reference	Immunization.reaction.detail	Observation		Immunization-reaction
Immunization	reaction-date	date	Immunization.reaction.date			Immunization-reaction-date
Immunization	reason-code	token	Immunization.reasonCode			Immunization-reason-code
Immunization	reason-reference	reference	Immunization.reasonReference	Condition,Observation,DiagnosticReport		Immunization-reason-reference
Immunization	series	string	Immunization.protocolApplied.series			Immunization-series
Immunization	status	token	Immunization.status			Immunization-status
Immunization	status-reason	token	Immunization.statusReason			Immunization-status-reason
Immunization	target-disease	token	Immunization.protocolApplied.targetDisease			Immunization-target-disease
Immunization	vaccine-code	token	Immunization.vaccineCode			Immunization-vaccine-code
ImmunizationEvaluation	date	date	ImmunizationEvaluation.date			ImmunizationEvaluation-date
ImmunizationEvaluation	dose-status	token	ImmunizationEvaluation.doseStatus			ImmunizationEvaluation-dose-status
ImmunizationEvaluation	identifier	token	ImmunizationEvaluation.identifier			ImmunizationEvaluation-identifier
ImmunizationEvaluation	immunization-event	reference	ImmunizationEvaluation.immunizationEvent	Immunization		ImmunizationEvaluation-immunization-event
ImmunizationEvaluation	patient	reference	ImmunizationEvaluation.patient	Patient		ImmunizationEvaluation-patient
ImmunizationEvaluation	status	token	ImmunizationEvaluation.status			ImmunizationEvaluation-status
ImmunizationEvaluation	target-disease	token	ImmunizationEvaluation.targetDisease			ImmunizationEvaluation-target-disease
ImmunizationRecommendation	date	date	ImmunizationRecommendation.date			ImmunizationRecommendation-date
ImmunizationRecommendation	identifier	token	ImmunizationRecommendation.identifier			ImmunizationRecommendation-identifier
ImmunizationRecommendation	information	reference	ImmunizationRecommendation.recommendation.supportingPatientInformation			ImmunizationRecommendation-information
ImmunizationRecommendation	patient	reference	ImmunizationRecommendation.patient	Patient		ImmunizationRecommendation-patient
ImmunizationRecommendation	status	token	ImmunizationRecommendation.recommendation.forecastStatus			ImmunizationRecommendation-status
ImmunizationRecommendation	support	reference	ImmunizationRecommendation.recommendation.supportingImmunization	Immunization,ImmunizationEvaluation		ImmunizationRecommendation-support
ImmunizationRecommendation	target-disease	token	ImmunizationRecommendation.recommendation.targetDisease			ImmunizationRecommendation-target-disease
ImmunizationRecommendation	vaccine-type	token	ImmunizationRecommendation.recommendation.vaccineCode			ImmunizationRecommendation-vaccine-type
ImplementationGuide	context	token	(ImplementationGuide.useContext.value as CodeableConcept)			conformance-context
ImplementationGuide	context-quantity	quantity	(ImplementationGuide.useContext.value as Quantity) | (ImplementationGuide.useContext.value as Range)			conformance-context-quantity
ImplementationGuide	context-type	token	ImplementationGuide.useContext.code			conformance-context-type
ImplementationGuide	context-type-quantity	composite	ImplementationGuide.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	conformance-context-type-quantity
ImplementationGuide	context-type-value	composite	ImplementationGuide.useContext		context-type=code;context=value.as(CodeableConcept)	conformance-context-type-value
ImplementationGuide	date	date	ImplementationGuide.date			conformance-date
ImplementationGuide	depends-on	reference	ImplementationGuide.dependsOn.uri	ImplementationGuide		ImplementationGuide-depends-on
ImplementationGuide	description	string	ImplementationGuide.description			conformance-description
ImplementationGuide	experimental	token	ImplementationGuide.experimental			ImplementationGuide-experimental
ImplementationGuide	global	reference	ImplementationGuide.global.profile	StructureDefinition		ImplementationGuide-global
ImplementationGuide	jurisdiction	token	ImplementationGuide.jurisdiction			conformance-jurisdiction
ImplementationGuide	name	string	ImplementationGuide.name			conformance-name
ImplementationGuide	publisher	string	ImplementationGuide.publisher			conformance-publisher
ImplementationGuide	resource	reference	ImplementationGuide.definition.resource.reference			ImplementationGuide-resource
ImplementationGuide	status	token	ImplementationGuide.status			conformance-status
ImplementationGuide	title	string	ImplementationGuide.title			conformance-title
ImplementationGuide	url	uri	ImplementationGuide.url			conformance-url
ImplementationGuide	version	token	ImplementationGuide.version			conformance-version
InsurancePlan	address	string	InsurancePlan.contact.address			InsurancePlan-address
InsurancePlan	address-city	string	InsurancePlan.contact.address.city			InsurancePlan-address-city
InsurancePlan	address-country	string	InsurancePlan.contact.address.country			InsurancePlan-address-country
InsurancePlan	address-postalcode	string	InsurancePlan.contact.address.postalCode			InsurancePlan-address-postalcode
InsurancePlan	address-state	string	InsurancePlan.contact.address.state			InsurancePlan-address-state
InsurancePlan	address-use	token	InsurancePlan.contact.address.use			InsurancePlan-address-use
InsurancePlan	administered-by	reference	InsurancePlan.administeredBy	Organization		InsurancePlan-administered-by
InsurancePlan	endpoint	reference	InsurancePlan.endpoint	Endpoint		InsurancePlan-endpoint
InsurancePlan	identifier	token	InsurancePlan.identifier			InsurancePlan-identifier
InsurancePlan	name	string	name | alias			InsurancePlan-name
InsurancePlan	owned-by	reference	InsurancePlan.ownedBy	Organization		InsurancePlan-owned-by
InsurancePlan	phonetic	string	InsurancePlan.name			InsurancePlan-phonetic
InsurancePlan	status	token	InsurancePlan.status			InsurancePlan-status
InsurancePlan	type	token	InsurancePlan.type			InsurancePlan-type
Invoice	account	reference	Invoice.account	Account		Invoice-account
Invoice	date	date	Invoice.date			Invoice-date
Invoice	identifier	token	Invoice.identifier			Invoice-identifier
Invoice	issuer	reference	Invoice.issuer	Organization		Invoice-issuer
Invoice	participant	reference	Invoice.participant.actor	Practitioner,Organization,Device,Patient,PractitionerRole,RelatedPerson		Invoice-participant
Invoice	participant-role	token	Invoice.participant.role			Invoice-participant-role
Invoice	patient	reference	Invoice.subject.where(resolve() is Patient)	Patient		Invoice-patient
Invoice	recipient	reference	Invoice.recipient	Organization,Patient,RelatedPerson		Invoice-recipient
Invoice	status	token	Invoice.status			Invoice-status
Invoice	subject	reference	Invoice.subject	Group,Patient		Invoice-subject
Invoice	totalgross	quantity	Invoice.totalGross			Invoice-totalgross
Invoice	totalnet	quantity	Invoice.totalNet			Invoice-totalnet
Invoice	type	token	Invoice.type			Invoice-type
Library	composed-of	reference	Library.relatedArtifact.where(type='composed-of').resource			Library-composed-of
Library	content-type	token	Library.content.contentType			Library-content-type
Library	context	token	(Library.useContext.value as CodeableConcept)			Library-context
Library	context-quantity	quantity	(Library.useContext.value as Quantity) | (Library.useContext.value as Range)			Library-context-quantity
Library	context-type	token	Library.useContext.code			Library-context-type
Library	context-type-quantity	composite	Library.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	Library-context-type-quantity
Library	context-type-value	composite	Library.useContext		context-type=code;context=value.as(CodeableConcept)	Library-context-type-value
Library	date	date	Library.date			Library-date
Library	depends-on	reference	Library.relatedArtifact.where(type='depends-on').resource			Library-depends-on
Library	derived-from	reference	Library.relatedArtifact.where(type='derived-from').resource			Library-derived-from
Library	description	string	Library.description			Library-description
Library	effective	date	Library.effectivePeriod			Library-effective
Library	identifier	token	Library.identifier			Library-identifier
Library	jurisdiction	token	Library.jurisdiction			Library-jurisdiction
Library	name	string	Library.name			Library-name
Library	predecessor	reference	Library.relatedArtifact.where(type='predecessor').resource			Library-predecessor
Library	publisher	string	Library.publisher			Library-publisher
Library	status	token	Library.status			Library-status
Library	successor	reference	Library.relatedArtifact.where(type='successor').resource			Library-successor
Library	title	string	Library.title			Library-title
Library	topic	token	Library.topic			Library-topic
Library	type	token	Library.type			Library-type
Library	url	uri	Library.url			Library-url
Library	version	token	Library.version			Library-version
Linkage	author	reference	Linkage.author	Practitioner,Organization,PractitionerRole		Linkage-author
Linkage	item	reference	Linkage.item.resource			Linkage-item
Linkage	source	reference	Linkage.item.resource			Linkage-source
List	code	token	List.code			clinical-code
List	date	date	List.date			clinical-date
List	empty-reason	token	List.emptyReason			List-empty-reason
List	encounter	reference	List.encounter	Encounter,EpisodeOfCare		clinical-encounter
List	identifier	token	List.identifier			clinical-identifier
List	item	reference	List.entry.item			List-item
List	notes	string	List.note.text			List-notes
List	patient	reference	List.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
List	source	reference	List.source	Practitioner,Device,Patient,PractitionerRole		List-source
List	status	token	List.status			List-status
List	subject	reference	List.subject	Group,Device,Patient,Location		List-subject
List	title	string	List.title			List-title
Location	address	string	Location.address			Location-address
Location	address-city	string	Location.address.city			Location-address-city
Location	address-country	string	Location.address.country			Location-address-country
Location	address-postalcode	string	Location.address.postalCode			Location-address-postalcode
Location	address-state	string	Location.address.state			Location-address-state
Location	address-use	token	Location.address.use			Location-address-use
Location	endpoint	reference	Location.endpoint	Endpoint		Location-endpoint
Location	identifier	token	Location.identifier			Location-identifier
Location	name	string	Location.name | Location.alias			Location-name
Location	near	special	Location.position			Location-near
Location	operational-status	token	Location.operationalStatus			Location-operational-status
Location	organization	reference	Location.managingOrganization	Organization		Location-organization
Location	partof	reference	Location.partOf	Location		Location-partof
Location	status	token	Location.status			Location-status
Location	type	token	Location.type			Location-type
Measure	composed-of	reference	Measure.relatedArtifact.where(type='composed-of').resource			Measure-composed-of
Measure	context	token	(Measure.useContext.value as CodeableConcept)			Measure-context
Measure	context-quantity	quantity	(Measure.useContext.value as Quantity) | (Measure.useContext.value as Range)			Measure-context-quantity
Measure	context-type	token	Measure.useContext.code			Measure-context-type
Measure	context-type-quantity	composite	Measure.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	Measure-context-type-quantity
Measure	context-type-value	composite	Measure.useContext		context-type=code;context=value.as(CodeableConcept)	Measure-context-type-value
Measure	date	date	Measure.date			Measure-date
Measure	depends-on	reference	Measure.relatedArtifact.where(type='depends-on').resource | Measure.library			Measure-depends-on
Measure	derived-from	reference	Measure.relatedArtifact.where(type='derived-from').resource			Measure-derived-from
Measure	description	string	Measure.description			Measure-description
Measure	effective	date	Measure.effectivePeriod			Measure-effective
Measure	identifier	token	Measure.identifier			Measure-identifier
Measure	jurisdiction	token	Measure.jurisdiction			Measure-jurisdiction
Measure	name	string	Measure.name			Measure-name
Measure	predecessor	reference	Measure.relatedArtifact.where(type='predecessor').resource			Measure-predecessor
Measure	publisher	string	Measure.publisher			Measure-publisher
Measure	status	token	Measure.status			Measure-status
Measure	successor	reference	Measure.relatedArtifact.where(type='successor').resource			Measure-successor
Measure	title	string	Measure.title			Measure-title
Measure	topic	token	Measure.topic			Measure-topic
Measure	url	uri	Measure.url			Measure-url
Measure	version	token	Measure.version			Measure-version
MeasureReport	date	date	MeasureReport.date			MeasureReport-date
MeasureReport	evaluated-resource	reference	MeasureReport.evaluatedResource			MeasureReport-evaluated-resource
MeasureReport	identifier	token	MeasureReport.identifier			MeasureReport-identifier
MeasureReport	measure	reference	MeasureReport.measure	Measure		MeasureReport-measure
MeasureReport	patient	reference	MeasureReport.subject.where(resolve() is Patient)	Patient		MeasureReport-patient
MeasureReport	period	date	MeasureReport.period			MeasureReport-period
MeasureReport	reporter	reference	MeasureReport.reporter	Practitioner,Organization,PractitionerRole,Location		MeasureReport-reporter
MeasureReport	status	token	MeasureReport.status			MeasureReport-status
MeasureReport	subject	reference	MeasureReport.subject	Practitioner,Group,Device,Patient,PractitionerRole,RelatedPerson,Location		MeasureReport-subject
Media	based-on	reference	Media.basedOn	CarePlan,ServiceRequest		Media-based-on
Media	created	date	Media.created			Media-created
Media	device	reference	Media.device	Device,DeviceMetric		Media-device
Media	encounter	reference	Media.encounter	Encounter		Media-encounter
Media	identifier	token	Media.identifier			Media-identifier
Media	modality	token	Media.modality			Media-modality
Media	operator	reference	Media.operator	Practitioner,Organization,CareTeam,Device,Patient,PractitionerRole,RelatedPerson		Media-operator
Media	patient	reference	Media.subject.where(resolve() is Patient)	Patient		Media-patient
Media	site	token	Media.bodySite			Media-site
Media	status	token	Media.status			Media-status
Media	subject	reference	Media.subject	Practitioner,Group,Specimen,Device,Patient,PractitionerRole,Location		Media-subject
Media	type	token	Media.type			Media-type
Media	view	token	Media.view			Media-view
Medication	code	token	Medication.code			clinical-code
Medication	expiration-date	date	Medication.batch.expirationDate			Medication-expiration-date
Medication	form	token	Medication.form			Medication-form
Medication	identifier	token	Medication.identifier			Medication-identifier
Medication	ingredient	reference	(Medication.ingredient.item as Reference)	Medication,Substance		Medication-ingredient
Medication	ingredient-code	token	(Medication.ingredient.item as CodeableConcept)			Medication-ingredient-code
Medication	lot-number	token	Medication.batch.lotNumber			Medication-lot-number
Medication	manufacturer	reference	Medication.manufacturer	Organization		Medication-manufacturer
Medication	status	token	Medication.status			Medication-status
MedicationAdministration	code	token	(MedicationAdministration.medication as CodeableConcept)			clinical-code
MedicationAdministration	context	reference	MedicationAdministration.context	EpisodeOfCare,Encounter		MedicationAdministration-context
MedicationAdministration	device	reference	MedicationAdministration.device	Device		MedicationAdministration-device
MedicationAdministration	effective-time	date	MedicationAdministration.effective			MedicationAdministration-effective-time
MedicationAdministration	identifier	token	MedicationAdministration.identifier			clinical-identifier
MedicationAdministration	medication	reference	(MedicationAdministration.medication as Reference)	Medication		medications-medication
MedicationAdministration	patient	reference	MedicationAdministration.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
MedicationAdministration	performer	reference	MedicationAdministration.performer.actor	Practitioner,Device,Patient,PractitionerRole,RelatedPerson		MedicationAdministration-performer
MedicationAdministration	reason-given	token	MedicationAdministration.reasonCode			MedicationAdministration-reason-given
MedicationAdministration	reason-not-given	token	MedicationAdministration.statusReason			MedicationAdministration-reason-not-given
MedicationAdministration	request	reference	MedicationAdministration.request	MedicationRequest		MedicationAdministration-request
MedicationAdministration	status	token	MedicationAdministration.status			medications-status
MedicationAdministration	subject	reference	MedicationAdministration.subject	Group,Patient		MedicationAdministration-subject
MedicationDispense	code	token	(MedicationDispense.medication as CodeableConcept)			clinical-code
MedicationDispense	context	reference	MedicationDispense.context	EpisodeOfCare,Encounter		MedicationDispense-context
MedicationDispense	destination	reference	MedicationDispense.destination	Location		MedicationDispense-destination
MedicationDispense	identifier	token	MedicationDispense.identifier			clinical-identifier
MedicationDispense	medication	reference	(MedicationDispense.medication as Reference)	Medication		medications-medication
MedicationDispense	patient	reference	MedicationDispense.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
MedicationDispense	performer	reference	MedicationDispense.performer.actor	Practitioner,Organization,Device,Patient,PractitionerRole,RelatedPerson		MedicationDispense-performer
MedicationDispense	prescription	reference	MedicationDispense.authorizingPrescription	MedicationRequest		medications-prescription
MedicationDispense	receiver	reference	MedicationDispense.receiver	Practitioner,Patient		MedicationDispense-receiver
MedicationDispense	responsibleparty	reference	MedicationDispense.substitution.responsibleParty	Practitioner,PractitionerRole		MedicationDispense-responsibleparty
MedicationDispense	status	token	MedicationDispense.status			medications-status
MedicationDispense	subject	reference	MedicationDispense.subject	Group,Patient		MedicationDispense-subject
MedicationDispense	type	token	MedicationDispense.type			MedicationDispense-type
MedicationDispense	whenhandedover	date	MedicationDispense.whenHandedOver			MedicationDispense-whenhandedover
MedicationDispense	whenprepared	date	MedicationDispense.whenPrepared			MedicationDispense-whenprepared
MedicationKnowledge	classification	token	MedicationKnowledge.medicineClassification.classification			MedicationKnowledge-classification
MedicationKnowledge	classification-type	token	MedicationKnowledge.medicineClassification.type			MedicationKnowledge-classification-type
MedicationKnowledge	code	token	MedicationKnowledge.code			MedicationKnowledge-code
MedicationKnowledge	doseform	token	MedicationKnowledge.doseForm			MedicationKnowledge-doseform
MedicationKnowledge	ingredient	reference	(MedicationKnowledge.ingredient.item as Reference)	Substance		MedicationKnowledge-ingredient
MedicationKnowledge	ingredient-code	token	(MedicationKnowledge.ingredient.item as CodeableConcept)			MedicationKnowledge-ingredient-code
MedicationKnowledge	manufacturer	reference	MedicationKnowledge.manufacturer	Organization		MedicationKnowledge-manufacturer
MedicationKnowledge	monitoring-program-name	token	MedicationKnowledge.monitoringProgram.name			MedicationKnowledge-monitoring-program-name
MedicationKnowledge	monitoring-program-type	token	MedicationKnowledge.monitoringProgram.type			MedicationKnowledge-monitoring-program-type
MedicationKnowledge	monograph	reference	MedicationKnowledge.monograph.source	Media,DocumentReference		MedicationKnowledge-monograph
MedicationKnowledge	monograph-type	token	MedicationKnowledge.monograph.type			MedicationKnowledge-monograph-type
MedicationKnowledge	source-cost	token	MedicationKnowledge.cost.source			MedicationKnowledge-source-cost
MedicationKnowledge	status	token	MedicationKnowledge.status			MedicationKnowledge-status
MedicationRequest	authoredon	date	MedicationRequest.authoredOn			MedicationRequest-authoredon
MedicationRequest	category	token	MedicationRequest.category			MedicationRequest-category
MedicationRequest	code	token	(MedicationRequest.medication as CodeableConcept)			clinical-code
MedicationRequest	date	date	MedicationRequest.dosageInstruction.timing.event			medications-date
MedicationRequest	encounter	reference	MedicationRequest.encounter	Encounter		medications-encounter
MedicationRequest	identifier	token	MedicationRequest.identifier			clinical-identifier
MedicationRequest	intended-dispenser	reference	MedicationRequest.dispenseRequest.performer	Organization		MedicationRequest-intended-dispenser
MedicationRequest	intended-performer	reference	MedicationRequest.performer	Practitioner,Organization,CareTeam,Device,Patient,PractitionerRole,RelatedPerson		MedicationRequest-intended-performer
MedicationRequest	intended-performertype	token	MedicationRequest.performerType			MedicationRequest-intended-performertype
MedicationRequest	intent	token	MedicationRequest.intent			MedicationRequest-intent
MedicationRequest	medication	reference	(MedicationRequest.medication as Reference)	Medication		medications-medication
MedicationRequest	patient	reference	MedicationRequest.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
MedicationRequest	priority	token	MedicationRequest.priority			MedicationRequest-priority
MedicationRequest	requester	reference	MedicationRequest.requester	Practitioner,Organization,Device,Patient,PractitionerRole,RelatedPerson		MedicationRequest-requester
MedicationRequest	status	token	MedicationRequest.status			medications-status
MedicationRequest	subject	reference	MedicationRequest.subject	Group,Patient		MedicationRequest-subject
MedicationStatement	category	token	MedicationStatement.category			MedicationStatement-category
MedicationStatement	code	token	(MedicationStatement.medication as CodeableConcept)			clinical-code
MedicationStatement	context	reference	MedicationStatement.context	EpisodeOfCare,Encounter		MedicationStatement-context
MedicationStatement	effective	date	MedicationStatement.effective			MedicationStatement-effective
MedicationStatement	identifier	token	MedicationStatement.identifier			clinical-identifier
MedicationStatement	medication	reference	(MedicationStatement.medication as Reference)	Medication		medications-medication
MedicationStatement	part-of	reference	MedicationStatement.partOf	MedicationDispense,Observation,MedicationAdministration,Procedure,MedicationStatement		MedicationStatement-part-of
MedicationStatement	patient	reference	MedicationStatement.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
MedicationStatement	source	reference	MedicationStatement.informationSource	Practitioner,Organization,Patient,PractitionerRole,RelatedPerson		MedicationStatement-source
MedicationStatement	status	token	MedicationStatement.status			medications-status
MedicationStatement	subject	reference	MedicationStatement.subject	Group,Patient		MedicationStatement-subject
MedicinalProduct	identifier	token	MedicinalProduct.identifier			MedicinalProduct-identifier
MedicinalProduct	name	string	MedicinalProduct.name.productName			MedicinalProduct-name
MedicinalProduct	name-language	token	MedicinalProduct.name.countryLanguage.language			MedicinalProduct-name-language
MedicinalProductAuthorization	country	token	MedicinalProductAuthorization.country			MedicinalProductAuthorization-country
MedicinalProductAuthorization	holder	reference	MedicinalProductAuthorization.holder	Organization		MedicinalProductAuthorization-holder
MedicinalProductAuthorization	identifier	token	MedicinalProductAuthorization.identifier			MedicinalProductAuthorization-identifier
MedicinalProductAuthorization	status	token	MedicinalProductAuthorization.status			MedicinalProductAuthorization-status
MedicinalProductAuthorization	subject	reference	MedicinalProductAuthorization.subject	MedicinalProductPackaged,MedicinalProduct		MedicinalProductAuthorization-subject
MedicinalProductContraindication	subject	reference	MedicinalProductContraindication.subject	Medication,MedicinalProduct		MedicinalProductContraindication-subject
MedicinalProductIndication	subject	reference	MedicinalProductIndication.subject	Medication,MedicinalProduct		MedicinalProductIndication-subject
MedicinalProductInteraction	subject	reference	MedicinalProductInteraction.subject	Medication,Substance,MedicinalProduct		MedicinalProductInteraction-subject
MedicinalProductPackaged	identifier	token	MedicinalProductPackaged.identifier			MedicinalProductPackaged-identifier
MedicinalProductPackaged	subject	reference	MedicinalProductPackaged.subject	MedicinalProduct		MedicinalProductPackaged-subject
MedicinalProductPharmaceutical	identifier	token	MedicinalProductPharmaceutical.identifier			MedicinalProductPharmaceutical-identifier
MedicinalProductPharmaceutical	route	token	MedicinalProductPharmaceutical.routeOfAdministration.code			MedicinalProductPharmaceutical-route
MedicinalProductPharmaceutical	target-species	token	MedicinalProductPharmaceutical.routeOfAdministration.targetSpecies.code			MedicinalProductPharmaceutical-target-species
MedicinalProductUndesirableEffect	subject	reference	MedicinalProductUndesirableEffect.subject	Medication,MedicinalProduct		MedicinalProductUndesirableEffect-subject
MessageDefinition	category	token	MessageDefinition.category			MessageDefinition-category
MessageDefinition	context	token	(MessageDefinition.useContext.value as CodeableConcept)			conformance-context
MessageDefinition	context-quantity	quantity	(MessageDefinition.useContext.value as Quantity) | (MessageDefinition.useContext.value as Range)			conformance-context-quantity
MessageDefinition	context-type	token	MessageDefinition.useContext.code			conformance-context-type
MessageDefinition	context-type-quantity	composite	MessageDefinition.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	conformance-context-type-quantity
MessageDefinition	context-type-value	composite	MessageDefinition.useContext		context-type=code;context=value.as(CodeableConcept)	conformance-context-type-value
MessageDefinition	date	date	MessageDefinition.date			conformance-date
MessageDefinition	description	string	MessageDefinition.description			conformance-description
MessageDefinition	event	token	MessageDefinition.event			MessageDefinition-event
MessageDefinition	focus	token	MessageDefinition.focus.code			MessageDefinition-focus
MessageDefinition	identifier	token	MessageDefinition.identifier			conformance-identifier
MessageDefinition	jurisdiction	token	MessageDefinition.jurisdiction			conformance-jurisdiction
MessageDefinition	name	string	MessageDefinition.name			conformance-name
MessageDefinition	parent	reference	MessageDefinition.parent	PlanDefinition,ActivityDefinition		MessageDefinition-parent
MessageDefinition	publisher	string	MessageDefinition.publisher			conformance-publisher
MessageDefinition	status	token	MessageDefinition.status			conformance-status
MessageDefinition	title	string	MessageDefinition.title			conformance-title
MessageDefinition	url	uri	MessageDefinition.url			conformance-url
MessageDefinition	version	token	MessageDefinition.version			conformance-version
MessageHeader	author	reference	MessageHeader.author	Practitioner,PractitionerRole		MessageHeader-author
MessageHeader	code	token	MessageHeader.response.code			MessageHeader-code
MessageHeader	destination	string	MessageHeader.destination.name			MessageHeader-destination
MessageHeader	destination-uri	uri	MessageHeader.destination.endpoint			MessageHeader-destination-uri
MessageHeader	enterer	reference	MessageHeader.enterer	Practitioner,PractitionerRole		MessageHeader-enterer
MessageHeader	event	token	MessageHeader.event			MessageHeader-event
MessageHeader	focus	reference	MessageHeader.focus			MessageHeader-focus
MessageHeader	receiver	reference	MessageHeader.destination.receiver	Practitioner,Organization,PractitionerRole		MessageHeader-receiver
MessageHeader	response-id	token	MessageHeader.response.identifier			MessageHeader-response-id
MessageHeader	responsible	reference	MessageHeader.responsible	Practitioner,Organization,PractitionerRole		MessageHeader-responsible
MessageHeader	sender	reference	MessageHeader.sender	Practitioner,Organization,PractitionerRole		MessageHeader-sender
MessageHeader	source	string	MessageHeader.source.name			MessageHeader-source
MessageHeader	source-uri	uri	MessageHeader.source.endpoint			MessageHeader-source-uri
MessageHeader	target	reference	MessageHeader.destination.target	Device		MessageHeader-target
MolecularSequence	chromosome	token	MolecularSequence.referenceSeq.chromosome			MolecularSequence-chromosome
MolecularSequence	chromosome-variant-coordinate	composite	MolecularSequence.variant		chromosome=%resource.referenceSeq.chromosome;variant-start=start;variant-end=end	MolecularSequence-chromosome-variant-coordinate
MolecularSequence	chromosome-window-coordinate	composite	MolecularSequence.referenceSeq		chromosome=chromosome;window-start=windowStart;window-end=windowEnd	MolecularSequence-chromosome-window-coordinate
MolecularSequence	identifier	token	MolecularSequence.identifier			MolecularSequence-identifier
MolecularSequence	patient	reference	MolecularSequence.patient	Patient		MolecularSequence-patient
MolecularSequence	referenceseqid	token	MolecularSequence.referenceSeq.referenceSeqId			MolecularSequence-referenceseqid
MolecularSequence	referenceseqid-variant-coordinate	composite	MolecularSequence.variant		referenceseqid=%resource.referenceSeq.referenceSeqId;variant-start=start;variant-end=end	MolecularSequence-referenceseqid-variant-coordinate
MolecularSequence	referenceseqid-window-coordinate	composite	MolecularSequence.referenceSeq		referenceseqid=referenceSeqId;window-start=windowStart;window-end=windowEnd	MolecularSequence-referenceseqid-window-coordinate
MolecularSequence	type	token	MolecularSequence.type			MolecularSequence-type
MolecularSequence	variant-end	number	MolecularSequence.variant.end			MolecularSequence-variant-end
MolecularSequence	variant-start	number	MolecularSequence.variant.start			MolecularSequence-variant-start
MolecularSequence	window-end	number	MolecularSequence.referenceSeq.windowEnd			MolecularSequence-window-end
MolecularSequence	window-start	number	MolecularSequence.referenceSeq.windowStart			MolecularSequence-window-start
NamingSystem	contact	string	NamingSystem.contact.name			NamingSystem-contact
NamingSystem	context	token	(NamingSystem.useContext.value as CodeableConcept)			conformance-context
NamingSystem	context-quantity	quantity	(NamingSystem.useContext.value as Quantity) | (NamingSystem.useContext.value as Range)			conformance-context-quantity
NamingSystem	context-type	token	NamingSystem.useContext.code			conformance-context-type
NamingSystem	context-type-quantity	composite	NamingSystem.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	conformance-context-type-quantity
NamingSystem	context-type-value	composite	NamingSystem.useContext		context-type=code;context=value.as(CodeableConcept)	conformance-context-type-value
NamingSystem	date	date	NamingSystem.date			conformance-date
NamingSystem	description	string	NamingSystem.description			conformance-description
NamingSystem	id-type	token	NamingSystem.uniqueId.type			NamingSystem-id-type
NamingSystem	jurisdiction	token	NamingSystem.jurisdiction			conformance-jurisdiction
NamingSystem	kind	token	NamingSystem.kind			NamingSystem-kind
NamingSystem	name	string	NamingSystem.name			conformance-name
NamingSystem	period	date	NamingSystem.uniqueId.period			NamingSystem-period
NamingSystem	publisher	string	NamingSystem.publisher			conformance-publisher
NamingSystem	responsible	string	NamingSystem.responsible			NamingSystem-responsible
NamingSystem	status	token	NamingSystem.status			conformance-status
NamingSystem	telecom	token	NamingSystem.contact.telecom			NamingSystem-telecom
NamingSystem	type	token	NamingSystem.type			NamingSystem-type
NamingSystem	value	string	NamingSystem.uniqueId.value			NamingSystem-value
NutritionOrder	additive	token	NutritionOrder.enteralFormula.additiveType			NutritionOrder-additive
NutritionOrder	datetime	date	NutritionOrder.dateTime			NutritionOrder-datetime
NutritionOrder	encounter	reference	NutritionOrder.encounter	Encounter,EpisodeOfCare		clinical-encounter
NutritionOrder	formula	token	NutritionOrder.enteralFormula.baseFormulaType			NutritionOrder-formula
NutritionOrder	identifier	token	NutritionOrder.identifier			clinical-identifier
NutritionOrder	instantiates-canonical	reference	NutritionOrder.instantiatesCanonical	PlanDefinition,ActivityDefinition		NutritionOrder-instantiates-canonical
NutritionOrder	instantiates-uri	uri	NutritionOrder.instantiatesUri			NutritionOrder-instantiates-uri
NutritionOrder	oraldiet	token	NutritionOrder.oralDiet.type			NutritionOrder-oraldiet
NutritionOrder	patient	reference	NutritionOrder.patient	Patient,Group		clinical-patient
NutritionOrder	provider	reference	NutritionOrder.orderer	Practitioner,PractitionerRole		NutritionOrder-provider
NutritionOrder	status	token	NutritionOrder.status			NutritionOrder-status
NutritionOrder	supplement	token	NutritionOrder.supplement.type			NutritionOrder-supplement
Observation	based-on	reference	Observation.basedOn	CarePlan,MedicationRequest,NutritionOrder,DeviceRequest,ServiceRequest,ImmunizationRecommendation		Observation-based-on
Observation	category	token	Observation.category			Observation-category
Observation	code	token	Observation.code			clinical-code
Observation	code-value-concept	composite	Observation		code=code;value-concept=value.as(CodeableConcept)	Observation-code-value-concept
Observation	code-value-date	composite	Observation		code=code;value-date=value.as(DateTime) | value.as(Period)	Observation-code-value-date
Observation	code-value-quantity	composite	Observation		code=code;value-quantity=value.as(Quantity)	Observation-code-value-quantity
Observation	code-value-string	composite	Observation		code=code;value-string=value.as(string)	Observation-code-value-string
Observation	combo-code	token	Observation.code | Observation.component.code			Observation-combo-code
Observation	combo-code-value-concept	composite	Observation | Observation.component		combo-code=code;combo-value-concept=value.as(CodeableConcept)	Observation-combo-code-value-concept
Observation	combo-code-value-quantity	composite	Observation | Observation.component		combo-code=code;combo-value-quantity=value.as(Quantity)	Observation-combo-code-value-quantity
Observation	combo-data-absent-reason	token	Observation.dataAbsentReason | Observation.component.dataAbsentReason			Observation-combo-data-absent-reason
Observation	combo-value-concept	token	(Observation.value as CodeableConcept) | (Observation.component.value as CodeableConcept)			Observation-combo-value-concept
Observation	combo-value-quantity	quantity	(Observation.value as Quantity) | (Observation.value as SampledData) | (Observation.component.value as Quantity) | (Observation.component.value as SampledData)			Observation-combo-value-quantity
Observation	component-code	token	Observation.component.code			Observation-component-code
Observation	component-code-value-concept	composite	Observation.component		component-code=code;component-value-concept=value.as(CodeableConcept)	Observation-component-code-value-concept
Observation	component-code-value-quantity	composite	Observation.component		component-code=code;component-value-quantity=value.as(Quantity)	Observation-component-code-value-quantity
Observation	component-data-absent-reason	token	Observation.component.dataAbsentReason			Observation-component-data-absent-reason
Observation	component-value-concept	token	(Observation.component.value as CodeableConcept)			Observation-component-value-concept
Observation	component-value-quantity	quantity	(Observation.component.value as Quantity) | (Observation.component.value as SampledData)			Observation-component-value-quantity
Observation	data-absent-reason	token	Observation.dataAbsentReason			Observation-data-absent-reason
Observation	date	date	Observation.effective			clinical-date
Observation	derived-from	reference	Observation.derivedFrom	Media,Observation,ImagingStudy,MolecularSequence,QuestionnaireResponse,DocumentReference		Observation-derived-from
Observation	device	reference	Observation.device	Device,DeviceMetric		Observation-device
Observation	encounter	reference	Observation.encounter	Encounter,EpisodeOfCare		clinical-encounter
Observation	focus	reference	Observation.focus			Observation-focus
Observation	has-member	reference	Observation.hasMember	Observation,MolecularSequence,QuestionnaireResponse		Observation-has-member
Observation	identifier	token	Observation.identifier			clinical-identifier
Observation	method	token	Observation.method			Observation-method
Observation	part-of	reference	Observation.partOf	Immunization,MedicationDispense,MedicationAdministration,Procedure,ImagingStudy,MedicationStatement		Observation-part-of
Observation	patient	reference	Observation.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
Observation	performer	reference	Observation.performer	Practitioner,Organization,CareTeam,Patient,PractitionerRole,RelatedPerson		Observation-performer
Observation	specimen	reference	Observation.specimen	Specimen		Observation-specimen
Observation	status	token	Observation.status			Observation-status
Observation	subject	reference	Observation.subject	Group,Device,Patient,Location		Observation-subject
Observation	value-concept	token	(Observation.value as CodeableConcept)			Observation-value-concept
Observation	value-date	date	(Observation.value as dateTime) | (Observation.value as Period)			Observation-value-date
Observation	value-quantity	quantity	(Observation.value as Quantity) | (Observation.value as SampledData)			Observation-value-quantity
Observation	value-string	string	(Observation.value as string) | (Observation.value as CodeableConcept).text			Observation-value-string
OperationDefinition	base	reference	OperationDefinition.base	OperationDefinition		OperationDefinition-base
OperationDefinition	code	token	OperationDefinition.code			OperationDefinition-code
OperationDefinition	context	token	(OperationDefinition.useContext.value as CodeableConcept)			conformance-context
OperationDefinition	context-quantity	quantity	(OperationDefinition.useContext.value as Quantity) | (OperationDefinition.useContext.value as Range)			conformance-context-quantity
OperationDefinition	context-type	token	OperationDefinition.useContext.code			conformance-context-type
OperationDefinition	context-type-quantity	composite	OperationDefinition.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	conformance-context-type-quantity
OperationDefinition	context-type-value	composite	OperationDefinition.useContext		context-type=code;context=value.as(CodeableConcept)	conformance-context-type-value
OperationDefinition	date	date	OperationDefinition.date			conformance-date
OperationDefinition	description	string	OperationDefinition.description			conformance-description
OperationDefinition	input-profile	reference	OperationDefinition.inputProfile	StructureDefinition		OperationDefinition-input-profile
OperationDefinition	instance	token	OperationDefinition.instance			OperationDefinition-instance
OperationDefinition	jurisdiction	token	OperationDefinition.jurisdiction			conformance-jurisdiction
OperationDefinition	kind	token	OperationDefinition.kind			OperationDefinition-kind
OperationDefinition	name	string	OperationDefinition.name			conformance-name
OperationDefinition	output-profile	reference	OperationDefinition.outputProfile	StructureDefinition		OperationDefinition-output-profile
OperationDefinition	publisher	string	OperationDefinition.publisher			conformance-publisher
OperationDefinition	status	token	OperationDefinition.status			conformance-status
OperationDefinition	system	token	OperationDefinition.system			OperationDefinition-system
OperationDefinition	title	string	OperationDefinition.title			conformance-title
OperationDefinition	type	token	OperationDefinition.type			OperationDefinition-type
OperationDefinition	url	uri	OperationDefinition.url			conformance-url
OperationDefinition	version	token	OperationDefinition.version			conformance-version
Organization	active	token	Organization.active			Organization-active
Organization	address	string	Organization.address			Organization-address
Organization	address-city	string	Organization.address.city			Organization-address-city
Organization	address-country	string	Organization.address.country			Organization-address-country
Organization	address-postalcode	string	Organization.address.postalCode			Organization-address-postalcode
Organization	address-state	string	Organization.address.state			Organization-address-state
Organization	address-use	token	Organization.address.use			Organization-address-use
Organization	endpoint	reference	Organization.endpoint	Endpoint		Organization-endpoint
Organization	identifier	token	Organization.identifier			Organization-identifier
Organization	name	string	Organization.name | Organization.alias			Organization-name
Organization	partof	reference	Organization.partOf	Organization		Organization-partof
Organization	phonetic	string	Organization.name			Organization-phonetic
Organization	type	token	Organization.type			Organization-type
OrganizationAffiliation	active	token	OrganizationAffiliation.active			OrganizationAffiliation-active
OrganizationAffiliation	date	date	OrganizationAffiliation.period			OrganizationAffiliation-date
OrganizationAffiliation	email	token	OrganizationAffiliation.telecom.where(system='email')			OrganizationAffiliation-email
OrganizationAffiliation	endpoint	reference	OrganizationAffiliation.endpoint	Endpoint		OrganizationAffiliation-endpoint
OrganizationAffiliation	identifier	token	OrganizationAffiliation.identifier			OrganizationAffiliation-identifier
OrganizationAffiliation	location	reference	OrganizationAffiliation.location	Location		OrganizationAffiliation-location
OrganizationAffiliation	network	reference	OrganizationAffiliation.network	Organization		OrganizationAffiliation-network
OrganizationAffiliation	participating-organization	reference	OrganizationAffiliation.participatingOrganization	Organization		OrganizationAffiliation-participating-organization
OrganizationAffiliation	phone	token	OrganizationAffiliation.telecom.where(system='phone')			OrganizationAffiliation-phone
OrganizationAffiliation	primary-organization	reference	OrganizationAffiliation.organization	Organization		OrganizationAffiliation-primary-organization
OrganizationAffiliation	role	token	OrganizationAffiliation.code			OrganizationAffiliation-role
OrganizationAffiliation	service	reference	OrganizationAffiliation.healthcareService	HealthcareService		OrganizationAffiliation-service
OrganizationAffiliation	specialty	token	OrganizationAffiliation.specialty			OrganizationAffiliation-specialty
OrganizationAffiliation	telecom	token	OrganizationAffiliation.telecom			OrganizationAffiliation-telecom
Patient	active	token	Patient.active			Patient-active
Patient	address	string	Patient.address			individual-address
Patient	address-city	string	Patient.address.city			individual-address-city
Patient	address-country	string	Patient.address.country			individual-address-country
Patient	address-postalcode	string	Patient.address.postalCode			individual-address-postalcode
Patient	address-state	string	Patient.address.state			individual-address-state
Patient	address-use	token	Patient.address.use			individual-address-use
Patient	birthdate	date	Patient.birthDate			individual-birthdate
Patient	death-date	date	(Patient.deceased as dateTime)			Patient-death-date
Patient	deceased	token	Patient.deceased.exists() and Patient.deceased != false			Patient-deceased
Patient	email	token	Patient.telecom.where(system='email')			individual-email
Patient	family	string	Patient.name.family			individual-family
Patient	gender	token	Patient.gender			individual-gender
Patient	general-practitioner	reference	Patient.generalPractitioner	Practitioner,Organization,PractitionerRole		Patient-general-practitioner
Patient	given	string	Patient.name.given			individual-given
Patient	identifier	token	Patient.identifier			Patient-identifier
Patient	language	token	Patient.communication.language			Patient-language
Patient	link	reference	Patient.link.other	Patient,RelatedPerson		Patient-link
Patient	name	string	Patient.name			Patient-name
Patient	organization	reference	Patient.managingOrganization	Organization		Patient-organization
Patient	phone	token	Patient.telecom.where(system='phone')			individual-phone
Patient	phonetic	string	Patient.name			individual-phonetic
Patient	telecom	token	Patient.telecom			individual-telecom
PaymentNotice	created	date	PaymentNotice.created			PaymentNotice-created
PaymentNotice	identifier	token	PaymentNotice.identifier			PaymentNotice-identifier
PaymentNotice	payment-status	token	PaymentNotice.paymentStatus			PaymentNotice-payment-status
PaymentNotice	provider	reference	PaymentNotice.provider	Practitioner,Organization,PractitionerRole		PaymentNotice-provider
PaymentNotice	request	reference	PaymentNotice.request			PaymentNotice-request
PaymentNotice	response	reference	PaymentNotice.response			PaymentNotice-response
PaymentNotice	status	token	PaymentNotice.status			PaymentNotice-status
PaymentReconciliation	created	date	PaymentReconciliation.created			PaymentReconciliation-created
PaymentReconciliation	disposition	string	PaymentReconciliation.disposition			PaymentReconciliation-disposition
PaymentReconciliation	identifier	token	PaymentReconciliation.identifier			PaymentReconciliation-identifier
PaymentReconciliation	outcome	token	PaymentReconciliation.outcome			PaymentReconciliation-outcome
PaymentReconciliation	payment-issuer	reference	PaymentReconciliation.paymentIssuer	Organization		PaymentReconciliation-payment-issuer
PaymentReconciliation	request	reference	PaymentReconciliation.request	Task		PaymentReconciliation-request
PaymentReconciliation	requestor	reference	PaymentReconciliation.requestor	Practitioner,Organization,PractitionerRole		PaymentReconciliation-requestor
PaymentReconciliation	status	token	PaymentReconciliation.status			PaymentReconciliation-status
Person	address	string	Person.address			individual-address
Person	address-city	string	Person.address.city			individual-address-city
Person	address-country	string	Person.address.country			individual-address-country
Person	address-postalcode	string	Person.address.postalCode			individual-address-postalcode
Person	address-state	string	Person.address.state			individual-address-state
Person	address-use	token	Person.address.use			individual-address-use
Person	birthdate	date	Person.birthDate			individual-birthdate
Person	email	token	Person.telecom.where(system='email')			individual-email
Person	gender	token	Person.gender			individual-gender
Person	identifier	token	Person.identifier			Person-identifier
Person	link	reference	Person.link.target	Practitioner,Patient,Person,RelatedPerson		Person-link
Person	name	string	Person.name			Person-name
Person	organization	reference	Person.managingOrganization	Organization		Person-organization
Person	patient	reference	Person.link.target.where(resolve() is Patient)	Patient		Person-patient
Person	phone	token	Person.telecom.where(system='phone')			individual-phone
Person	phonetic	string	Person.name			individual-phonetic
Person	practitioner	reference	Person.link.target.where(resolve() is Practitioner)	Practitioner		Person-practitioner
Person	relatedperson	reference	Person.link.target.where(resolve() is RelatedPerson)	RelatedPerson		Person-relatedperson
Person	telecom	token	Person.telecom			individual-telecom
PlanDefinition	composed-of	reference	PlanDefinition.relatedArtifact.where(type='composed-of').resource			PlanDefinition-composed-of
PlanDefinition	context	token	(PlanDefinition.useContext.value as CodeableConcept)			PlanDefinition-context
PlanDefinition	context-quantity	quantity	(PlanDefinition.useContext.value as Quantity) | (PlanDefinition.useContext.value as Range)			PlanDefinition-context-quantity
PlanDefinition	context-type	token	PlanDefinition.useContext.code			PlanDefinition-context-type
PlanDefinition	context-type-quantity	composite	PlanDefinition.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	PlanDefinition-context-type-quantity
PlanDefinition	context-type-value	composite	PlanDefinition.useContext		context-type=code;context=value.as(CodeableConcept)	PlanDefinition-context-type-value
PlanDefinition	date	date	PlanDefinition.date			PlanDefinition-date
PlanDefinition	definition	reference	PlanDefinition.action.definition	Questionnaire,PlanDefinition,ActivityDefinition		PlanDefinition-definition
PlanDefinition	depends-on	reference	PlanDefinition.relatedArtifact.where(type='depends-on').resource | PlanDefinition.library			PlanDefinition-depends-on
PlanDefinition	derived-from	reference	PlanDefinition.relatedArtifact.where(type='derived-from').resource			PlanDefinition-derived-from
PlanDefinition	description	string	PlanDefinition.description			PlanDefinition-description
PlanDefinition	effective	date	PlanDefinition.effectivePeriod			PlanDefinition-effective
PlanDefinition	identifier	token	PlanDefinition.identifier			PlanDefinition-identifier
PlanDefinition	jurisdiction	token	PlanDefinition.jurisdiction			PlanDefinition-jurisdiction
PlanDefinition	name	string	PlanDefinition.name			PlanDefinition-name
PlanDefinition	predecessor	reference	PlanDefinition.relatedArtifact.where(type='predecessor').resource			PlanDefinition-predecessor
PlanDefinition	publisher	string	PlanDefinition.publisher			PlanDefinition-publisher
PlanDefinition	status	token	PlanDefinition.status			PlanDefinition-status
PlanDefinition	successor	reference	PlanDefinition.relatedArtifact.where(type='successor').resource			PlanDefinition-successor
PlanDefinition	title	string	PlanDefinition.title			PlanDefinition-title
PlanDefinition	topic	token	PlanDefinition.topic			PlanDefinition-topic
PlanDefinition	type	token	PlanDefinition.type			PlanDefinition-type
PlanDefinition	url	uri	PlanDefinition.url			PlanDefinition-url
PlanDefinition	version	token	PlanDefinition.version			PlanDefinition-version
Practitioner	active	token	Practitioner.active			Practitioner-active
Practitioner	address	string	Practitioner.address			individual-address
Practitioner	address-city	string	Practitioner.address.city			individual-address-city
Practitioner	address-country	string	Practitioner.address.country			individual-address-country
Practitioner	address-postalcode	string	Practitioner.address.postalCode			individual-address-postalcode
Practitioner	address-state	string	Practitioner.address.state			individual-address-state
Practitioner	address-use	token	Practitioner.address.use			individual-address-use
Practitioner	communication	token	Practitioner.communication			Practitioner-communication
Practitioner	email	token	Practitioner.telecom.where(system='email')			individual-email
Practitioner	family	string	Practitioner.name.family			individual-family
Practitioner	gender	token	Practitioner.gender			individual-gender
Practitioner	given	string	Practitioner.name.given			individual-given
Practitioner	identifier	token	Practitioner.identifier			Practitioner-identifier
Practitioner	name	string	Practitioner.name			Practitioner-name
Practitioner	phone	token	Practitioner.telecom.where(system='phone')			individual-phone
Practitioner	phonetic	string	Practitioner.name			individual-phonetic
Practitioner	telecom	token	Practitioner.telecom			individual-telecom
PractitionerRole	active	token	PractitionerRole.active			PractitionerRole-active
PractitionerRole	date	date	PractitionerRole.period			PractitionerRole-date
PractitionerRole	email	token	PractitionerRole.telecom.where(system='email')			individual-email
PractitionerRole	endpoint	reference	PractitionerRole.endpoint	Endpoint		PractitionerRole-endpoint
PractitionerRole	identifier	token	PractitionerRole.identifier			PractitionerRole-identifier
PractitionerRole	location	reference	PractitionerRole.location	Location		PractitionerRole-location
PractitionerRole	organization	reference	PractitionerRole.organization	Organization		PractitionerRole-organization
PractitionerRole	phone	token	PractitionerRole.telecom.where(system='phone')			individual-phone
PractitionerRole	practitioner	reference	PractitionerRole.practitioner	Practitioner		PractitionerRole-practitioner
PractitionerRole	role	token	PractitionerRole.code			PractitionerRole-role
PractitionerRole	service	reference	PractitionerRole.healthcareService	HealthcareService		PractitionerRole-service
PractitionerRole	specialty	token	PractitionerRole.specialty			PractitionerRole-specialty
PractitionerRole	telecom	token	PractitionerRole.telecom			individual-telecom
Procedure	based-on	reference	Procedure.basedOn	CarePlan,ServiceRequest		Procedure-based-on
Procedure	category	token	Procedure.category			Procedure-category
Procedure	code	token	Procedure.code			clinical-code
Procedure	date	date	Procedure.performed			clinical-date
Procedure	encounter	reference	Procedure.encounter	Encounter,EpisodeOfCare		clinical-encounter
Procedure	identifier	token	Procedure.identifier			clinical-identifier
Procedure	instantiates-canonical	reference	Procedure.instantiatesCanonical	Questionnaire,Measure,PlanDefinition,OperationDefinition,ActivityDefinition		Procedure-instantiates-canonical
Procedure	instantiates-uri	uri	Procedure.instantiatesUri			Procedure-instantiates-uri
Procedure	location	reference	Procedure.location	Location		Procedure-location
Procedure	part-of	reference	Procedure.partOf	Observation,Procedure,MedicationAdministration		Procedure-part-of
Procedure	patient	reference	Procedure.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
Procedure	performer	reference	Procedure.performer.actor	Practitioner,Organization,Device,Patient,PractitionerRole,RelatedPerson		Procedure-performer
Procedure	reason-code	token	Procedure.reasonCode			Procedure-reason-code
Procedure	reason-reference	reference	Procedure.reasonReference	Condition,Observation,Procedure,DiagnosticReport,DocumentReference		Procedure-reason-reference
Procedure	status	token	Procedure.status			Procedure-status
Procedure	subject	reference	Procedure.subject	Group,Patient		Procedure-subject
Provenance	agent	reference	Provenance.agent.who	Practitioner,Organization,Device,Patient,PractitionerRole,RelatedPerson		Provenance-agent
Provenance	agent-role	token	Provenance.agent.role			Provenance-agent-role
Provenance	agent-type	token	Provenance.agent.type			Provenance-agent-type
Provenance	entity	reference	Provenance.entity.what			Provenance-entity
Provenance	location	reference	Provenance.location	Location		Provenance-location
Provenance	patient	reference	Provenance.target.where(resolve() is Patient)	Patient		Provenance-patient
Provenance	recorded	date	Provenance.recorded			Provenance-recorded
Provenance	signature-type	token	Provenance.signature.type			Provenance-signature-type
Provenance	target	reference	Provenance.target			Provenance-target
Provenance	when	date	(Provenance.occurred as dateTime)			Provenance-when
Questionnaire	code	token	Questionnaire.item.code			Questionnaire-code
Questionnaire	context	token	(Questionnaire.useContext.value as CodeableConcept)			Questionnaire-context
Questionnaire	context-quantity	quantity	(Questionnaire.useContext.value as Quantity) | (Questionnaire.useContext.value as Range)			Questionnaire-context-quantity
Questionnaire	context-type	token	Questionnaire.useContext.code			Questionnaire-context-type
Questionnaire	context-type-quantity	composite	Questionnaire.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	Questionnaire-context-type-quantity
Questionnaire	context-type-value	composite	Questionnaire.useContext		context-type=code;context=value.as(CodeableConcept)	Questionnaire-context-type-value
Questionnaire	date	date	Questionnaire.date			Questionnaire-date
Questionnaire	definition	uri	Questionnaire.item.definition			Questionnaire-definition
Questionnaire	description	string	Questionnaire.description			Questionnaire-description
Questionnaire	effective	date	Questionnaire.effectivePeriod			Questionnaire-effective
Questionnaire	identifier	token	Questionnaire.identifier			Questionnaire-identifier
Questionnaire	jurisdiction	token	Questionnaire.jurisdiction			Questionnaire-jurisdiction
Questionnaire	name	string	Questionnaire.name			Questionnaire-name
Questionnaire	publisher	string	Questionnaire.publisher			Questionnaire-publisher
Questionnaire	status	token	Questionnaire.status			Questionnaire-status
Questionnaire	subject-type	token	Questionnaire.subjectType			Questionnaire-subject-type
Questionnaire	title	string	Questionnaire.title			Questionnaire-title
Questionnaire	url	uri	Questionnaire.url			Questionnaire-url
Questionnaire	version	token	Questionnaire.version			Questionnaire-version
QuestionnaireResponse	author	reference	QuestionnaireResponse.author	Practitioner,Organization,Device,Patient,PractitionerRole,RelatedPerson		QuestionnaireResponse-author
QuestionnaireResponse	authored	date	QuestionnaireResponse.authored			QuestionnaireResponse-authored
QuestionnaireResponse	based-on	reference	QuestionnaireResponse.basedOn	CarePlan,ServiceRequest		QuestionnaireResponse-based-on
QuestionnaireResponse	encounter	reference	QuestionnaireResponse.encounter	Encounter		QuestionnaireResponse-encounter
QuestionnaireResponse	identifier	token	QuestionnaireResponse.identifier			QuestionnaireResponse-identifier
QuestionnaireResponse	part-of	reference	QuestionnaireResponse.partOf	Observation,Procedure		QuestionnaireResponse-part-of
QuestionnaireResponse	patient	reference	QuestionnaireResponse.subject.where(resolve() is Patient)	Patient		QuestionnaireResponse-patient
QuestionnaireResponse	questionnaire	reference	QuestionnaireResponse.questionnaire	Questionnaire		QuestionnaireResponse-questionnaire
QuestionnaireResponse	source	reference	QuestionnaireResponse.source	Practitioner,Patient,PractitionerRole,RelatedPerson		QuestionnaireResponse-source
QuestionnaireResponse	status	token	QuestionnaireResponse.status			QuestionnaireResponse-status
QuestionnaireResponse	subject	reference	QuestionnaireResponse.subject			QuestionnaireResponse-subject
RelatedPerson	active	token	RelatedPerson.active			RelatedPerson-active
RelatedPerson	address	string	RelatedPerson.address			individual-address
RelatedPerson	address-city	string	RelatedPerson.address.city			individual-address-city
RelatedPerson	address-country	string	RelatedPerson.address.country			individual-address-country
RelatedPerson	address-postalcode	string	RelatedPerson.address.postalCode			individual-address-postalcode
RelatedPerson	address-state	string	RelatedPerson.address.state			individual-address-state
RelatedPerson	address-use	token	RelatedPerson.address.use			individual-address-use
RelatedPerson	birthdate	date	RelatedPerson.birthDate			individual-birthdate
RelatedPerson	email	token	RelatedPerson.telecom.where(system='email')			individual-email
RelatedPerson	gender	token	RelatedPerson.gender			individual-gender
RelatedPerson	identifier	token	RelatedPerson.identifier			RelatedPerson-identifier
RelatedPerson	name	string	RelatedPerson.name			RelatedPerson-name
RelatedPerson	patient	reference	RelatedPerson.patient	Patient		RelatedPerson-patient
RelatedPerson	phone	token	RelatedPerson.telecom.where(system='phone')			individual-phone
RelatedPerson	phonetic	string	RelatedPerson.name			individual-phonetic
RelatedPerson	relationship	token	RelatedPerson.relationship			RelatedPerson-relationship
RelatedPerson	telecom	token	RelatedPerson.telecom			individual-telecom
RequestGroup	author	reference	RequestGroup.author	Practitioner,Device,PractitionerRole		RequestGroup-author
RequestGroup	authored	date	RequestGroup.authoredOn			RequestGroup-authored
RequestGroup	code	token	RequestGroup.code			RequestGroup-code
RequestGroup	encounter	reference	RequestGroup.encounter	Encounter		RequestGroup-encounter
RequestGroup	group-identifier	token	RequestGroup.groupIdentifier			RequestGroup-group-identifier
RequestGroup	identifier	token	RequestGroup.identifier			RequestGroup-identifier
RequestGroup	instantiates-canonical	reference	RequestGroup.instantiatesCanonical			RequestGroup-instantiates-canonical
RequestGroup	instantiates-uri	uri	RequestGroup.instantiatesUri			RequestGroup-instantiates-uri
RequestGroup	intent	token	RequestGroup.intent			RequestGroup-intent
RequestGroup	participant	reference	RequestGroup.action.participant	Practitioner,Device,Patient,PractitionerRole,RelatedPerson		RequestGroup-participant
RequestGroup	patient	reference	RequestGroup.subject.where(resolve() is Patient)	Patient		RequestGroup-patient
RequestGroup	priority	token	RequestGroup.priority			RequestGroup-priority
RequestGroup	status	token	RequestGroup.status			RequestGroup-status
RequestGroup	subject	reference	RequestGroup.subject	Group,Patient		RequestGroup-subject
ResearchDefinition	composed-of	reference	ResearchDefinition.relatedArtifact.where(type='composed-of').resource			ResearchDefinition-composed-of
ResearchDefinition	context	token	(ResearchDefinition.useContext.value as CodeableConcept)			ResearchDefinition-context
ResearchDefinition	context-quantity	quantity	(ResearchDefinition.useContext.value as Quantity) | (ResearchDefinition.useContext.value as Range)			ResearchDefinition-context-quantity
ResearchDefinition	context-type	token	ResearchDefinition.useContext.code			ResearchDefinition-context-type
ResearchDefinition	context-type-quantity	composite	ResearchDefinition.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	ResearchDefinition-context-type-quantity
ResearchDefinition	context-type-value	composite	ResearchDefinition.useContext		context-type=code;context=value.as(CodeableConcept)	ResearchDefinition-context-type-value
ResearchDefinition	date	date	ResearchDefinition.date			ResearchDefinition-date
ResearchDefinition	depends-on	reference	ResearchDefinition.relatedArtifact.where(type='depends-on').resource | ResearchDefinition.library			ResearchDefinition-depends-on
ResearchDefinition	derived-from	reference	ResearchDefinition.relatedArtifact.where(type='derived-from').resource			ResearchDefinition-derived-from
ResearchDefinition	description	string	ResearchDefinition.description			ResearchDefinition-description
ResearchDefinition	effective	date	ResearchDefinition.effectivePeriod			ResearchDefinition-effective
ResearchDefinition	identifier	token	ResearchDefinition.identifier			ResearchDefinition-identifier
ResearchDefinition	jurisdiction	token	ResearchDefinition.jurisdiction			ResearchDefinition-jurisdiction
ResearchDefinition	name	string	ResearchDefinition.name			ResearchDefinition-name
ResearchDefinition	predecessor	reference	ResearchDefinition.relatedArtifact.where(type='predecessor').resource			ResearchDefinition-predecessor
ResearchDefinition	publisher	string	ResearchDefinition.publisher			ResearchDefinition-publisher
ResearchDefinition	status	token	ResearchDefinition.status			ResearchDefinition-status
ResearchDefinition	successor	reference	ResearchDefinition.relatedArtifact.where(type='successor').resource			ResearchDefinition-successor
ResearchDefinition	title	string	ResearchDefinition.title			ResearchDefinition-title
ResearchDefinition	topic	token	ResearchDefinition.topic			ResearchDefinition-topic
ResearchDefinition	url	uri	ResearchDefinition.url			ResearchDefinition-url
ResearchDefinition	version	token	ResearchDefinition.version			ResearchDefinition-version
ResearchElementDefinition	composed-of	reference	ResearchElementDefinition.relatedArtifact.where(type='composed-of').resource			ResearchElementDefinition-composed-of
ResearchElementDefinition	context	token	(ResearchElementDefinition.useContext.value as CodeableConcept)			ResearchElementDefinition-context
ResearchElementDefinition	context-quantity	quantity	(ResearchElementDefinition.useContext.value as Quantity) | (ResearchElementDefinition.useContext.value as Range)			ResearchElementDefinition-context-quantity
ResearchElementDefinition	context-type	token	ResearchElementDefinition.useContext.code			ResearchElementDefinition-context-type
ResearchElementDefinition	context-type-quantity	composite	ResearchElementDefinition.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	ResearchElementDefinition-context-type-quantity
ResearchElementDefinition	context-type-value	composite	ResearchElementDefinition.useContext		context-type=code;context=value.as(CodeableConcept)	ResearchElementDefinition-context-type-value
ResearchElementDefinition	date	date	ResearchElementDefinition.date			ResearchElementDefinition-date
ResearchElementDefinition	depends-on	reference	ResearchElementDefinition.relatedArtifact.where(type='depends-on').resource | ResearchElementDefinition.library			ResearchElementDefinition-depends-on
ResearchElementDefinition	derived-from	reference	ResearchElementDefinition.relatedArtifact.where(type='derived-from').resource			ResearchElementDefinition-derived-from
ResearchElementDefinition	description	string	ResearchElementDefinition.description			ResearchElementDefinition-description
ResearchElementDefinition	effective	date	ResearchElementDefinition.effectivePeriod			ResearchElementDefinition-effective
ResearchElementDefinition	identifier	token	ResearchElementDefinition.identifier			ResearchElementDefinition-identifier
ResearchElementDefinition	jurisdiction	token	ResearchElementDefinition.jurisdiction			ResearchElementDefinition-jurisdiction
ResearchElementDefinition	name	string	ResearchElementDefinition.name			ResearchElementDefinition-name
ResearchElementDefinition	predecessor	reference	ResearchElementDefinition.relatedArtifact.where(type='predecessor').resource			ResearchElementDefinition-predecessor
ResearchElementDefinition	publisher	string	ResearchElementDefinition.publisher			ResearchElementDefinition-publisher
ResearchElementDefinition	status	token	ResearchElementDefinition.status			ResearchElementDefinition-status
ResearchElementDefinition	successor	reference	ResearchElementDefinition.relatedArtifact.where(type='successor').resource			ResearchElementDefinition-successor
ResearchElementDefinition	title	string	ResearchElementDefinition.title			ResearchElementDefinition-title
ResearchElementDefinition	topic	token	ResearchElementDefinition.topic			ResearchElementDefinition-topic
ResearchElementDefinition	url	uri	ResearchElementDefinition.url			ResearchElementDefinition-url
ResearchElementDefinition	version	token	ResearchElementDefinition.version			ResearchElementDefinition-version
ResearchStudy	category	token	ResearchStudy.category			ResearchStudy-category
ResearchStudy	date	date	ResearchStudy.period			ResearchStudy-date
ResearchStudy	focus	token	ResearchStudy.focus			ResearchStudy-focus
ResearchStudy	identifier	token	ResearchStudy.identifier			ResearchStudy-identifier
ResearchStudy	keyword	token	ResearchStudy.keyword			ResearchStudy-keyword
ResearchStudy	location	token	ResearchStudy.location			ResearchStudy-location
ResearchStudy	partof	reference	ResearchStudy.partOf	ResearchStudy		ResearchStudy-partof
ResearchStudy	principalinvestigator	reference	ResearchStudy.principalInvestigator	Practitioner,PractitionerRole		ResearchStudy-principalinvestigator
ResearchStudy	protocol	reference	ResearchStudy.protocol	PlanDefinition		ResearchStudy-protocol
ResearchStudy	site	reference	ResearchStudy.site	Location		ResearchStudy-site
ResearchStudy	sponsor	reference	ResearchStudy.sponsor	Organization		ResearchStudy-sponsor
ResearchStudy	status	token	ResearchStudy.status			ResearchStudy-status
ResearchStudy	title	string	ResearchStudy.title			ResearchStudy-title
ResearchSubject	date	date	ResearchSubject.period			ResearchSubject-date
ResearchSubject	identifier	token	ResearchSubject.identifier			ResearchSubject-identifier
ResearchSubject	individual	reference	ResearchSubject.individual	Patient		ResearchSubject-individual
ResearchSubject	patient	reference	ResearchSubject.individual	Patient		ResearchSubject-patient
ResearchSubject	status	token	ResearchSubject.status			ResearchSubject-status
ResearchSubject	study	reference	ResearchSubject.study	ResearchStudy		ResearchSubject-study
Resource	_content	string				Resource-content
Resource	_filter	special				filter
Resource	_id	token	Resource.id			Resource-id
Resource	_lastUpdated	date	Resource.meta.lastUpdated			Resource-lastUpdated
Resource	_profile	uri	Resource.meta.profile			Resource-profile
Resource	_query	token				Resource-query
Resource	_security	token	Resource.meta.security			Resource-security
Resource	_source	uri	Resource.meta.source			Resource-source
Resource	_tag	token	Resource.meta.tag			Resource-tag
RiskAssessment	condition	reference	RiskAssessment.condition	Condition		RiskAssessment-condition
RiskAssessment	date	date	(RiskAssessment.occurrence as dateTime)			clinical-date
RiskAssessment	encounter	reference	RiskAssessment.encounter	Encounter,EpisodeOfCare		clinical-encounter
RiskAssessment	identifier	token	RiskAssessment.identifier			clinical-identifier
RiskAssessment	method	token	RiskAssessment.method			RiskAssessment-method
RiskAssessment	patient	reference	RiskAssessment.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
RiskAssessment	performer	reference	RiskAssessment.performer	Practitioner,Device,PractitionerRole		RiskAssessment-performer
RiskAssessment	probability	number	RiskAssessment.prediction.probability			RiskAssessment-probability
RiskAssessment	risk	token	RiskAssessment.prediction.qualitativeRisk			RiskAssessment-risk
RiskAssessment	subject	reference	RiskAssessment.subject	Group,Patient		RiskAssessment-subject
RiskEvidenceSynthesis	context	token	(RiskEvidenceSynthesis.useContext.value as CodeableConcept)			RiskEvidenceSynthesis-context
RiskEvidenceSynthesis	context-quantity	quantity	(RiskEvidenceSynthesis.useContext.value as Quantity) | (RiskEvidenceSynthesis.useContext.value as Range)			RiskEvidenceSynthesis-context-quantity
RiskEvidenceSynthesis	context-type	token	RiskEvidenceSynthesis.useContext.code			RiskEvidenceSynthesis-context-type
RiskEvidenceSynthesis	context-type-quantity	composite	RiskEvidenceSynthesis.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	RiskEvidenceSynthesis-context-type-quantity
RiskEvidenceSynthesis	context-type-value	composite	RiskEvidenceSynthesis.useContext		context-type=code;context=value.as(CodeableConcept)	RiskEvidenceSynthesis-context-type-value
RiskEvidenceSynthesis	date	date	RiskEvidenceSynthesis.date			RiskEvidenceSynthesis-date
RiskEvidenceSynthesis	description	string	RiskEvidenceSynthesis.description			RiskEvidenceSynthesis-description
RiskEvidenceSynthesis	effective	date	RiskEvidenceSynthesis.effectivePeriod			RiskEvidenceSynthesis-effective
RiskEvidenceSynthesis	identifier	token	RiskEvidenceSynthesis.identifier			RiskEvidenceSynthesis-identifier
RiskEvidenceSynthesis	jurisdiction	token	RiskEvidenceSynthesis.jurisdiction			RiskEvidenceSynthesis-jurisdiction
RiskEvidenceSynthesis	name	string	RiskEvidenceSynthesis.name			RiskEvidenceSynthesis-name
RiskEvidenceSynthesis	publisher	string	RiskEvidenceSynthesis.publisher			RiskEvidenceSynthesis-publisher
RiskEvidenceSynthesis	status	token	RiskEvidenceSynthesis.status			RiskEvidenceSynthesis-status
RiskEvidenceSynthesis	title	string	RiskEvidenceSynthesis.title			RiskEvidenceSynthesis-title
RiskEvidenceSynthesis	url	uri	RiskEvidenceSynthesis.url			RiskEvidenceSynthesis-url
RiskEvidenceSynthesis	version	token	RiskEvidenceSynthesis.version			RiskEvidenceSynthesis-version
Schedule	active	token	Schedule.active			Schedule-active
Schedule	actor	reference	Schedule.actor	Practitioner,Device,Patient,HealthcareService,PractitionerRole,RelatedPerson,Location		Schedule-actor
Schedule	date	date	Schedule.planningHorizon			Schedule-date
Schedule	identifier	token	Schedule.identifier			Schedule-identifier
Schedule	service-category	token	Schedule.serviceCategory			Schedule-service-category
Schedule	service-type	token	Schedule.serviceType			Schedule-service-type
Schedule	specialty	token	Schedule.specialty			Schedule-specialty
SearchParameter	base	token	SearchParameter.base			SearchParameter-base
SearchParameter	code	token	SearchParameter.code			SearchParameter-code
SearchParameter	component	reference	SearchParameter.component.definition	SearchParameter		SearchParameter-component
SearchParameter	context	token	(SearchParameter.useContext.value as CodeableConcept)			conformance-context
SearchParameter	context-quantity	quantity	(SearchParameter.useContext.value as Quantity) | (SearchParameter.useContext.value as Range)			conformance-context-quantity
SearchParameter	context-type	token	SearchParameter.useContext.code			conformance-context-type
SearchParameter	context-type-quantity	composite	SearchParameter.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	conformance-context-type-quantity
SearchParameter	context-type-value	composite	SearchParameter.useContext		context-type=code;context=value.as(CodeableConcept)	conformance-context-type-value
SearchParameter	date	date	SearchParameter.date			conformance-date
SearchParameter	derived-from	reference	SearchParameter.derivedFrom	SearchParameter		SearchParameter-derived-from
SearchParameter	description	string	SearchParameter.description			conformance-description
SearchParameter	jurisdiction	token	SearchParameter.jurisdiction			conformance-jurisdiction
SearchParameter	name	string	SearchParameter.name			conformance-name
SearchParameter	publisher	string	SearchParameter.publisher			conformance-publisher
SearchParameter	status	token	SearchParameter.status			conformance-status
SearchParameter	target	token	SearchParameter.target			SearchParameter-target
SearchParameter	type	token	SearchParameter.type			SearchParameter-type
SearchParameter	url	uri	SearchParameter.url			conformance-url
SearchParameter	version	token	SearchParameter.version			conformance-version
ServiceRequest	authored	date	ServiceRequest.authoredOn			ServiceRequest-authored
ServiceRequest	based-on	reference	ServiceRequest.basedOn	CarePlan,MedicationRequest,ServiceRequest		ServiceRequest-based-on
ServiceRequest	body-site	token	ServiceRequest.bodySite			ServiceRequest-body-site
ServiceRequest	category	token	ServiceRequest.category			ServiceRequest-category
ServiceRequest	code	token	ServiceRequest.code			clinical-code
ServiceRequest	encounter	reference	ServiceRequest.encounter	Encounter,EpisodeOfCare		clinical-encounter
ServiceRequest	identifier	token	ServiceRequest.identifier			clinical-identifier
ServiceRequest	instantiates-canonical	reference	ServiceRequest.instantiatesCanonical	PlanDefinition,ActivityDefinition		ServiceRequest-instantiates-canonical
ServiceRequest	instantiates-uri	uri	ServiceRequest.instantiatesUri			ServiceRequest-instantiates-uri
ServiceRequest	intent	token	ServiceRequest.intent			ServiceRequest-intent
ServiceRequest	occurrence	date	ServiceRequest.occurrence			ServiceRequest-occurrence
ServiceRequest	patient	reference	ServiceRequest.subject.where(resolve() is Patient)	Patient,Group		clinical-patient
ServiceRequest	performer	reference	ServiceRequest.performer	Practitioner,Organization,CareTeam,Device,Patient,HealthcareService,PractitionerRole,RelatedPerson		ServiceRequest-performer
ServiceRequest	performer-type	token	ServiceRequest.performerType			ServiceRequest-performer-type
ServiceRequest	priority	token	ServiceRequest.priority			ServiceRequest-priority
ServiceRequest	replaces	reference	ServiceRequest.replaces	ServiceRequest		ServiceRequest-replaces
ServiceRequest	requester	reference	ServiceRequest.requester	Practitioner,Organization,Device,Patient,PractitionerRole,RelatedPerson		ServiceRequest-requester
ServiceRequest	requisition	token	ServiceRequest.requisition			ServiceRequest-requisition
ServiceRequest	specimen	reference	ServiceRequest.specimen	Specimen		ServiceRequest-specimen
ServiceRequest	status	token	ServiceRequest.status			ServiceRequest-status
ServiceRequest	subject	reference	ServiceRequest.subject	Group,Device,Patient,Location		ServiceRequest-subject
Slot	appointment-type	token	Slot.appointmentType			Slot-appointment-type
Slot	identifier	token	Slot.identifier			Slot-identifier
Slot	schedule	reference	Slot.schedule	Schedule		Slot-schedule
Slot	service-category	token	Slot.serviceCategory			Slot-service-category
Slot	service-type	token	Slot.serviceType			Slot-service-type
Slot	specialty	token	Slot.specialty			Slot-specialty
Slot	start	date	Slot.start			Slot-start
Slot	status	token	Slot.status			Slot-status
Specimen	accession	token	Specimen.accessionIdentifier			Specimen-accession
Specimen	bodysite	token	Specimen.collection.bodySite			Specimen-bodysite
Specimen	collected	date	Specimen.collection.collected			Specimen-collected
Specimen	collector	reference	Specimen.collection.collector	Practitioner,PractitionerRole		Specimen-collector
Specimen	container	token	Specimen.container.type			Specimen-container
Specimen	container-id	token	Specimen.container.identifier			Specimen-container-id
Specimen	identifier	token	Specimen.identifier			Specimen-identifier
Specimen	parent	reference	Specimen.parent	Specimen		Specimen-parent
Specimen	patient	reference	Specimen.subject.where(resolve() is Patient)	Patient		Specimen-patient
Specimen	status	token	Specimen.status			Specimen-status
Specimen	subject	reference	Specimen.subject	Group,Device,Patient,Substance,Location		Specimen-subject
Specimen	type	token	Specimen.type			Specimen-type
SpecimenDefinition	container	token	SpecimenDefinition.typeTested.container.type			SpecimenDefinition-container
SpecimenDefinition	identifier	token	SpecimenDefinition.identifier			SpecimenDefinition-identifier
SpecimenDefinition	type	token	SpecimenDefinition.typeCollected			SpecimenDefinition-type
StructureDefinition	abstract	token	StructureDefinition.abstract			StructureDefinition-abstract
StructureDefinition	base	reference	StructureDefinition.baseDefinition	StructureDefinition		StructureDefinition-base
StructureDefinition	base-path	token	StructureDefinition.snapshot.element.base.path | StructureDefinition.differential.element.base.path			StructureDefinition-base-path
StructureDefinition	context	token	(StructureDefinition.useContext.value as CodeableConcept)			conformance-context
StructureDefinition	context-quantity	quantity	(StructureDefinition.useContext.value as Quantity) | (StructureDefinition.useContext.value as Range)			conformance-context-quantity
StructureDefinition	context-type	token	StructureDefinition.useContext.code			conformance-context-type
StructureDefinition	context-type-quantity	composite	StructureDefinition.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	conformance-context-type-quantity
StructureDefinition	context-type-value	composite	StructureDefinition.useContext		context-type=code;context=value.as(CodeableConcept)	conformance-context-type-value
StructureDefinition	date	date	StructureDefinition.date			conformance-date
StructureDefinition	derivation	token	StructureDefinition.derivation			StructureDefinition-derivation
StructureDefinition	description	string	StructureDefinition.description			conformance-description
StructureDefinition	experimental	token	StructureDefinition.experimental			StructureDefinition-experimental
StructureDefinition	ext-context	token	StructureDefinition.context.type			StructureDefinition-ext-context
StructureDefinition	identifier	token	StructureDefinition.identifier			conformance-identifier
StructureDefinition	jurisdiction	token	StructureDefinition.jurisdiction			conformance-jurisdiction
StructureDefinition	keyword	token	StructureDefinition.keyword			StructureDefinition-keyword
StructureDefinition	kind	token	StructureDefinition.kind			StructureDefinition-kind
StructureDefinition	name	string	StructureDefinition.name			conformance-name
StructureDefinition	path	token	StructureDefinition.snapshot.element.path | StructureDefinition.differential.element.path			StructureDefinition-path
StructureDefinition	publisher	string	StructureDefinition.publisher			conformance-publisher
StructureDefinition	status	token	StructureDefinition.status			conformance-status
StructureDefinition	title	string	StructureDefinition.title			conformance-title
StructureDefinition	type	uri	StructureDefinition.type			StructureDefinition-type
StructureDefinition	url	uri	StructureDefinition.url			conformance-url
StructureDefinition	valueset	reference	StructureDefinition.snapshot.element.binding.valueSet	ValueSet		StructureDefinition-valueset
StructureDefinition	version	token	StructureDefinition.version			conformance-version
StructureMap	context	token	(StructureMap.useContext.value as CodeableConcept)			conformance-context
StructureMap	context-quantity	quantity	(StructureMap.useContext.value as Quantity) | (StructureMap.useContext.value as Range)			conformance-context-quantity
StructureMap	context-type	token	StructureMap.useContext.code			conformance-context-type
StructureMap	context-type-quantity	composite	StructureMap.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	conformance-context-type-quantity
StructureMap	context-type-value	composite	StructureMap.useContext		context-type=code;context=value.as(CodeableConcept)	conformance-context-type-value
StructureMap	date	date	StructureMap.date			conformance-date
StructureMap	description	string	StructureMap.description			conformance-description
StructureMap	identifier	token	StructureMap.identifier			conformance-identifier
StructureMap	jurisdiction	token	StructureMap.jurisdiction			conformance-jurisdiction
StructureMap	name	string	StructureMap.name			conformance-name
StructureMap	publisher	string	StructureMap.publisher			conformance-publisher
StructureMap	status	token	StructureMap.status			conformance-status
StructureMap	title	string	StructureMap.title			conformance-title
StructureMap	url	uri	StructureMap.url			conformance-url
StructureMap	version	token	StructureMap.version			conformance-version
Subscription	contact	token	Subscription.contact			Subscription-contact
Subscription	criteria	string	Subscription.criteria			Subscription-criteria
Subscription	payload	token	Subscription.channel.payload			Subscription-payload
Subscription	status	token	Subscription.status			Subscription-status
Subscription	type	token	Subscription.channel.type			Subscription-type
Subscription	url	uri	Subscription.channel.endpoint			Subscription-url
Substance	category	token	Substance.category			Substance-category
Substance	code	token	Substance.code | (Substance.ingredient.substance as CodeableConcept)			Substance-code
Substance	container-identifier	token	Substance.instance.identifier			Substance-container-identifier
Substance	expiry	date	Substance.instance.expiry			Substance-expiry
Substance	identifier	token	Substance.identifier			Substance-identifier
Substance	quantity	quantity	Substance.instance.quantity			Substance-quantity
Substance	status	token	Substance.status			Substance-status
Substance	substance-reference	reference	(Substance.ingredient.substance as Reference)	Substance		Substance-substance-reference
SubstanceSpecification	code	token	SubstanceSpecification.code.code			SubstanceSpecification-code
SupplyDelivery	identifier	token	SupplyDelivery.identifier			clinical-identifier
SupplyDelivery	patient	reference	SupplyDelivery.patient	Patient,Group		clinical-patient
SupplyDelivery	receiver	reference	SupplyDelivery.receiver	Practitioner,PractitionerRole		SupplyDelivery-receiver
SupplyDelivery	status	token	SupplyDelivery.status			SupplyDelivery-status
SupplyDelivery	supplier	reference	SupplyDelivery.supplier	Practitioner,Organization,PractitionerRole		SupplyDelivery-supplier
SupplyRequest	category	token	SupplyRequest.category			SupplyRequest-category
SupplyRequest	date	date	SupplyRequest.authoredOn			clinical-date
SupplyRequest	identifier	token	SupplyRequest.identifier			clinical-identifier
SupplyRequest	requester	reference	SupplyRequest.requester	Practitioner,Organization,Device,Patient,PractitionerRole,RelatedPerson		SupplyRequest-requester
SupplyRequest	status	token	SupplyRequest.status			SupplyRequest-status
SupplyRequest	subject	reference	SupplyRequest.deliverTo	Organization,Patient,Location		SupplyRequest-subject
SupplyRequest	supplier	reference	SupplyRequest.supplier	Organization,HealthcareService		SupplyRequest-supplier
Task	authored-on	date	Task.authoredOn			Task-authored-on
Task	based-on	reference	Task.basedOn			Task-based-on
Task	business-status	token	Task.businessStatus			Task-business-status
Task	code	token	Task.code			Task-code
Task	encounter	reference	Task.encounter	Encounter		Task-encounter
Task	focus	reference	Task.focus			Task-focus
Task	group-identifier	token	Task.groupIdentifier			Task-group-identifier
Task	identifier	token	Task.identifier			Task-identifier
Task	intent	token	Task.intent			Task-intent
Task	modified	date	Task.lastModified			Task-modified
Task	owner	reference	Task.owner	Practitioner,Organization,CareTeam,Device,Patient,HealthcareService,PractitionerRole,RelatedPerson		Task-owner
Task	part-of	reference	Task.partOf	Task		Task-part-of
Task	patient	reference	Task.for.where(resolve() is Patient)	Patient		Task-patient
Task	performer	token	Task.performerType			Task-performer
Task	period	date	Task.executionPeriod			Task-period
Task	priority	token	Task.priority			Task-priority
Task	requester	reference	Task.requester	Practitioner,Organization,Device,Patient,PractitionerRole,RelatedPerson		Task-requester
Task	status	token	Task.status			Task-status
Task	subject	reference	Task.for			Task-subject
TerminologyCapabilities	context	token	(TerminologyCapabilities.useContext.value as CodeableConcept)			conformance-context
TerminologyCapabilities	context-quantity	quantity	(TerminologyCapabilities.useContext.value as Quantity) | (TerminologyCapabilities.useContext.value as Range)			conformance-context-quantity
TerminologyCapabilities	context-type	token	TerminologyCapabilities.useContext.code			conformance-context-type
TerminologyCapabilities	context-type-quantity	composite	TerminologyCapabilities.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	conformance-context-type-quantity
TerminologyCapabilities	context-type-value	composite	TerminologyCapabilities.useContext		context-type=code;context=value.as(CodeableConcept)	conformance-context-type-value
TerminologyCapabilities	date	date	TerminologyCapabilities.date			conformance-date
TerminologyCapabilities	description	string	TerminologyCapabilities.description			conformance-description
TerminologyCapabilities	jurisdiction	token	TerminologyCapabilities.jurisdiction			conformance-jurisdiction
TerminologyCapabilities	name	string	TerminologyCapabilities.name			conformance-name
TerminologyCapabilities	publisher	string	TerminologyCapabilities.publisher			conformance-publisher
TerminologyCapabilities	status	token	TerminologyCapabilities.status			conformance-status
TerminologyCapabilities	title	string	TerminologyCapabilities.title			conformance-title
TerminologyCapabilities	url	uri	TerminologyCapabilities.url			conformance-url
TerminologyCapabilities	version	token	TerminologyCapabilities.version			conformance-version
TestReport	identifier	token	TestReport.identifier			TestReport-identifier
TestReport	issued	date	TestReport.issued			TestReport-issued
TestReport	participant	uri	TestReport.participant.uri			TestReport-participant
TestReport	result	token	TestReport.result			TestReport-result
TestReport	tester	string	TestReport.tester			TestReport-tester
TestReport	testscript	reference	TestReport.testScript	TestScript		TestReport-testscript
TestScript	context	token	(TestScript.useContext.value as CodeableConcept)			TestScript-context
TestScript	context-quantity	quantity	(TestScript.useContext.value as Quantity) | (TestScript.useContext.value as Range)			TestScript-context-quantity
TestScript	context-type	token	TestScript.useContext.code			TestScript-context-type
TestScript	context-type-quantity	composite	TestScript.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	TestScript-context-type-quantity
TestScript	context-type-value	composite	TestScript.useContext		context-type=code;context=value.as(CodeableConcept)	TestScript-context-type-value
TestScript	date	date	TestScript.date			TestScript-date
TestScript	description	string	TestScript.description			TestScript-description
TestScript	identifier	token	TestScript.identifier			TestScript-identifier
TestScript	jurisdiction	token	TestScript.jurisdiction			TestScript-jurisdiction
TestScript	name	string	TestScript.name			TestScript-name
TestScript	publisher	string	TestScript.publisher			TestScript-publisher
TestScript	status	token	TestScript.status			TestScript-status
TestScript	testscript-capability	string	TestScript.metadata.capability.description			TestScript-testscript-capability
TestScript	title	string	TestScript.title			TestScript-title
TestScript	url	uri	TestScript.url			TestScript-url
TestScript	version	token	TestScript.version			TestScript-version
ValueSet	code	token	ValueSet.expansion.contains.code | ValueSet.compose.include.concept.code			ValueSet-code
ValueSet	context	token	(ValueSet.useContext.value as CodeableConcept)			conformance-context
ValueSet	context-quantity	quantity	(ValueSet.useContext.value as Quantity) | (ValueSet.useContext.value as Range)			conformance-context-quantity
ValueSet	context-type	token	ValueSet.useContext.code			conformance-context-type
ValueSet	context-type-quantity	composite	ValueSet.useContext		context-type=code;context-quantity=value.as(Quantity) | value.as(Range)	conformance-context-type-quantity
ValueSet	context-type-value	composite	ValueSet.useContext		context-type=code;context=value.as(CodeableConcept)	conformance-context-type-value
ValueSet	date	date	ValueSet.date			conformance-date
ValueSet	description	string	ValueSet.description			conformance-description
ValueSet	expansion	uri	ValueSet.expansion.identifier			ValueSet-expansion
ValueSet	identifier	token	ValueSet.identifier			conformance-identifier
ValueSet	jurisdiction	token	ValueSet.jurisdiction			conformance-jurisdiction
ValueSet	name	string	ValueSet.name			conformance-name
ValueSet	publisher	string	ValueSet.publisher			conformance-publisher
ValueSet	reference	uri	ValueSet.compose.include.system			ValueSet-reference
ValueSet	status	token	ValueSet.status			conformance-status
ValueSet	title	string	ValueSet.title			conformance-title
ValueSet	url	uri	ValueSet.url			conformance-url
ValueSet	version	token	ValueSet.version			conformance-version
VerificationResult	target	reference	VerificationResult.target			VerificationResult-target
VisionPrescription	datewritten	date	VisionPrescription.dateWritten			VisionPrescription-datewritten
VisionPrescription	encounter	reference	VisionPrescription.encounter	Encounter,EpisodeOfCare		clinical-encounter
VisionPrescription	identifier	token	VisionPrescription.identifier			clinical-identifier
VisionPrescription	patient	reference	VisionPrescription.patient	Patient,Group		clinical-patient
VisionPrescription	prescriber	reference	VisionPrescription.prescriber	Practitioner,PractitionerRole		VisionPrescription-prescriber
VisionPrescription	status	token	VisionPrescription.status			VisionPrescription-status
"""#
    static let compartments = #"""
Device	Account	subject
Device	Appointment	actor
Device	AppointmentResponse	actor
Device	AuditEvent	agent
Device	ChargeItem	enterer	performer-actor
Device	Claim	procedure-udi	item-udi	detail-udi	subdetail-udi
Device	Communication	sender	recipient
Device	CommunicationRequest	sender	recipient
Device	Composition	author
Device	DetectedIssue	author
Device	DeviceRequest	device	subject	requester	performer
Device	DeviceUseStatement	device
Device	DiagnosticReport	subject
Device	DocumentManifest	subject	author
Device	DocumentReference	subject	author
Device	ExplanationOfBenefit	procedure-udi	item-udi	detail-udi	subdetail-udi
Device	Flag	author
Device	Group	member
Device	Invoice	participant
Device	List	subject	source
Device	Media	subject
Device	MedicationAdministration	device
Device	MessageHeader	target
Device	Observation	subject	device
Device	Provenance	agent
Device	QuestionnaireResponse	author
Device	RequestGroup	author
Device	RiskAssessment	performer
Device	Schedule	actor
Device	ServiceRequest	performer	requester
Device	Specimen	subject
Device	SupplyRequest	requester
Encounter	CarePlan	encounter
Encounter	CareTeam	encounter
Encounter	ChargeItem	context
Encounter	Claim	encounter
Encounter	ClinicalImpression	encounter
Encounter	Communication	encounter
Encounter	CommunicationRequest	encounter
Encounter	Composition	encounter
Encounter	Condition	encounter
Encounter	DeviceRequest	encounter
Encounter	DiagnosticReport	encounter
Encounter	DocumentManifest	related-ref
Encounter	DocumentReference	encounter
Encounter	ExplanationOfBenefit	encounter
Encounter	Media	encounter
Encounter	MedicationAdministration	context
Encounter	MedicationRequest	encounter
Encounter	NutritionOrder	encounter
Encounter	Observation	encounter
Encounter	Procedure	encounter
Encounter	QuestionnaireResponse	encounter
Encounter	RequestGroup	encounter
Encounter	ServiceRequest	encounter
Encounter	VisionPrescription	encounter
Patient	Account	subject
Patient	AdverseEvent	subject
Patient	AllergyIntolerance	patient	recorder	asserter
Patient	Appointment	actor
Patient	AppointmentResponse	actor
Patient	AuditEvent	patient
Patient	Basic	patient	author
Patient	BodyStructure	patient
Patient	CarePlan	patient	performer
Patient	CareTeam	patient	participant
Patient	ChargeItem	subject
Patient	Claim	patient	payee
Patient	ClaimResponse	patient
Patient	ClinicalImpression	subject
Patient	Communication	subject	sender	recipient
Patient	CommunicationRequest	subject	sender	recipient	requester
Patient	Composition	subject	author	attester
Patient	Condition	patient	asserter
Patient	Consent	patient
Patient	Coverage	policy-holder	subscriber	beneficiary	payor
Patient	CoverageEligibilityRequest	patient
Patient	CoverageEligibilityResponse	patient
Patient	DetectedIssue	patient
Patient	DeviceRequest	subject	performer
Patient	DeviceUseStatement	subject
Patient	DiagnosticReport	subject
Patient	DocumentManifest	subject	author	recipient
Patient	DocumentReference	subject	author
Patient	Encounter	patient
Patient	EnrollmentRequest	subject
Patient	EpisodeOfCare	patient
Patient	ExplanationOfBenefit	patient	payee
Patient	FamilyMemberHistory	patient
Patient	Flag	patient
Patient	Goal	patient
Patient	Group	member
Patient	ImagingStudy	patient
Patient	Immunization	patient
Patient	ImmunizationEvaluation	patient
Patient	ImmunizationRecommendation	patient
Patient	Invoice	subject	patient	recipient
Patient	List	subject	source
Patient	MeasureReport	patient
Patient	Media	subject
Patient	MedicationAdministration	patient	performer	subject
Patient	MedicationDispense	subject	patient	receiver
Patient	MedicationRequest	subject
Patient	MedicationStatement	subject
Patient	MolecularSequence	patient
Patient	NutritionOrder	patient
Patient	Observation	subject	performer
Patient	Patient	link
Patient	Person	patient
Patient	Procedure	patient	performer
Patient	Provenance	patient
Patient	QuestionnaireResponse	subject	author
Patient	RelatedPerson	patient
Patient	RequestGroup	subject	participant
Patient	ResearchSubject	individual
Patient	RiskAssessment	subject
Patient	Schedule	actor
Patient	ServiceRequest	subject	performer
Patient	Specimen	subject
Patient	SupplyDelivery	patient
Patient	SupplyRequest	subject
Patient	VisionPrescription	patient
Practitioner	Account	subject
Practitioner	AdverseEvent	recorder
Practitioner	AllergyIntolerance	recorder	asserter
Practitioner	Appointment	actor
Practitioner	AppointmentResponse	actor
Practitioner	AuditEvent	agent
Practitioner	Basic	author
Practitioner	CarePlan	performer
Practitioner	CareTeam	participant
Practitioner	ChargeItem	enterer	performer-actor
Practitioner	Claim	enterer	provider	payee	care-team
Practitioner	ClaimResponse	requestor
Practitioner	ClinicalImpression	assessor
Practitioner	Communication	sender	recipient
Practitioner	CommunicationRequest	sender	recipient	requester
Practitioner	Composition	subject	author	attester
Practitioner	Condition	asserter
Practitioner	CoverageEligibilityRequest	enterer	provider
Practitioner	CoverageEligibilityResponse	requestor
Practitioner	DetectedIssue	author
Practitioner	DeviceRequest	requester	performer
Practitioner	DiagnosticReport	performer
Practitioner	DocumentManifest	subject	author	recipient
Practitioner	DocumentReference	subject	author	authenticator
Practitioner	Encounter	practitioner	participant
Practitioner	EpisodeOfCare	care-manager
Practitioner	ExplanationOfBenefit	enterer	provider	payee	care-team
Practitioner	Flag	author
Practitioner	Group	member
Practitioner	Immunization	performer
Practitioner	Invoice	participant
Practitioner	Linkage	author
Practitioner	List	source
Practitioner	Media	subject	operator
Practitioner	MedicationAdministration	performer
Practitioner	MedicationDispense	performer	receiver
Practitioner	MedicationRequest	requester
Practitioner	MedicationStatement	source
Practitioner	MessageHeader	receiver	author	responsible	enterer
Practitioner	NutritionOrder	provider
Practitioner	Observation	performer
Practitioner	Patient	general-practitioner
Practitioner	PaymentNotice	provider
Practitioner	PaymentReconciliation	requestor
Practitioner	Person	practitioner
Practitioner	PractitionerRole	practitioner
Practitioner	Procedure	performer
Practitioner	Provenance	agent
Practitioner	QuestionnaireResponse	author	source
Practitioner	RequestGroup	participant	author
Practitioner	ResearchStudy	principalinvestigator
Practitioner	RiskAssessment	performer
Practitioner	Schedule	actor
Practitioner	ServiceRequest	performer	requester
Practitioner	Specimen	collector
Practitioner	SupplyDelivery	supplier	receiver
Practitioner	SupplyRequest	requester
Practitioner	VisionPrescription	prescriber
RelatedPerson	AdverseEvent	recorder
RelatedPerson	AllergyIntolerance	asserter
RelatedPerson	Appointment	actor
RelatedPerson	AppointmentResponse	actor
RelatedPerson	Basic	author
RelatedPerson	CarePlan	performer
RelatedPerson	CareTeam	participant
RelatedPerson	ChargeItem	enterer	performer-actor
RelatedPerson	Claim	payee
RelatedPerson	Communication	sender	recipient
RelatedPerson	CommunicationRequest	sender	recipient	requester
RelatedPerson	Composition	author
RelatedPerson	Condition	asserter
RelatedPerson	Coverage	policy-holder	subscriber	payor
RelatedPerson	DocumentManifest	author	recipient
RelatedPerson	DocumentReference	author
RelatedPerson	Encounter	participant
RelatedPerson	ExplanationOfBenefit	payee
RelatedPerson	Invoice	recipient
RelatedPerson	MedicationAdministration	performer
RelatedPerson	MedicationStatement	source
RelatedPerson	Observation	performer
RelatedPerson	Patient	link
RelatedPerson	Person	link
RelatedPerson	Procedure	performer
RelatedPerson	Provenance	agent
RelatedPerson	QuestionnaireResponse	author	source
RelatedPerson	RequestGroup	participant
RelatedPerson	Schedule	actor
RelatedPerson	ServiceRequest	performer
RelatedPerson	SupplyRequest	requester
"""#
}
