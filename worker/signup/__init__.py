"""Readers' consent and wishes: who may get mail, of what, when; and how they come, change, pause and leave.

    address ─▶ key ─▶ hash            decide: (standing, act) ─▶ step            run*: one transaction an act
    wishes: what is asked for          consent: the evidence, and the open question

`sign_up` only asks. What somebody asks for waits in the reader's consent record until the owner of the address says yes
to the question that planning mails: then, and only then, it becomes subscriptions.
"""
