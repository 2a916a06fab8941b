"""Modality Performed Procedure Step by pynetdicom: the work on a worklist entry, from begin to end. PS3.4 Annex F."""

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import build_context
from pynetdicom.sop_class import (
    ModalityPerformedProcedureStep,
    ModalityPerformedProcedureStepRetrieve,
    ModalityWorklistInformationFind,
)

import check_dicom
from report import equal, expect

CLAUSE = "PS3.4 §F.7.2"


def listed(server, accession):
    """The worklist entries of an accession number."""
    keys = Dataset()
    keys.AccessionNumber = accession
    keys.StudyInstanceUID = ""
    step = Dataset()
    step.ScheduledProcedureStepID = ""
    keys.ScheduledProcedureStepSequence = [step]
    association = check_dicom.associate(server, [build_context(ModalityWorklistInformationFind)])
    try:
        return [match for _, match in association.send_c_find(keys, ModalityWorklistInformationFind) if match is not None]
    finally:
        association.release()


def begun(study, accession="", scheduled_step="", station="CT1"):
    """The attributes of N-CREATE for a study, scheduled or not, of no named patient."""
    scheduled = Dataset()
    scheduled.StudyInstanceUID = study
    scheduled.AccessionNumber = accession
    scheduled.ScheduledProcedureStepID = scheduled_step
    step = Dataset()
    step.ScheduledStepAttributesSequence = [scheduled]
    step.PerformedProcedureStepID = "PPS1"
    step.PerformedStationAETitle = station
    step.PerformedProcedureStepStartDate = "20260105"
    step.PerformedProcedureStepStartTime = "101500"
    step.PerformedProcedureStepStatus = "IN PROGRESS"
    step.Modality = "CT"
    step.PerformedSeriesSequence = []
    return step


def performed(entry, accession):
    """The same for a worklist entry."""
    return begun(
        entry.StudyInstanceUID, accession, entry.ScheduledProcedureStepSequence[0].ScheduledProcedureStepID)


def completed():
    """The attributes of N-SET that end a step, with one series."""
    series = Dataset()
    series.SeriesInstanceUID = generate_uid()
    changes = Dataset()
    changes.PerformedProcedureStepStatus = "COMPLETED"
    changes.PerformedProcedureStepEndDate = "20260105"
    changes.PerformedProcedureStepEndTime = "103000"
    changes.PerformedSeriesSequence = [series]
    return changes


def check(report, server, accession):
    uid = generate_uid()

    def ask(work):
        association = check_dicom.associate(
            server,
            [build_context(ModalityPerformedProcedureStep), build_context(ModalityPerformedProcedureStepRetrieve)])
        try:
            return work(association)
        finally:
            association.release()

    def begin():
        step = performed(listed(server, accession)[0], accession)
        status, _ = ask(lambda a: a.send_n_create(step, ModalityPerformedProcedureStep, uid))
        equal(f"{status.Status:04X}", "0000", "N-CREATE status")
        status, _ = ask(lambda a: a.send_n_create(step, ModalityPerformedProcedureStep, uid))
        equal(f"{status.Status:04X}", "0111", "status of the second N-CREATE")

    report.check("pynetdicom", "MPPS N-CREATE begins the step, and a second one is 0111", begin, CLAUSE)

    def end():
        changes = completed()
        status, _ = ask(lambda a: a.send_n_set(changes, ModalityPerformedProcedureStep, uid))
        equal(f"{status.Status:04X}", "0000", "N-SET status")
        expect(not listed(server, accession), "the completed step is on the worklist still")
        status, _ = ask(lambda a: a.send_n_set(changes, ModalityPerformedProcedureStep, uid))
        equal((f"{status.Status:04X}", f"{status.ErrorID:04X}"), ("0110", "A710"), "status of the second N-SET")

    report.check("pynetdicom", "MPPS N-SET completes the step, which leaves the worklist and is closed", end, CLAUSE)

    def get():
        status, found = ask(lambda a: a.send_n_get([0x00400252], ModalityPerformedProcedureStepRetrieve, uid))
        equal(f"{status.Status:04X}", "0000", "N-GET status")
        equal(found.PerformedProcedureStepStatus, "COMPLETED", "Performed Procedure Step Status")

    report.check("pynetdicom", "MPPS N-GET tells the state", get, "PS3.4 §F.8.2")
