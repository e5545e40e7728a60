# SPDX-License-Identifier: BSD-3-Clause
"""Which comparisons fill the table."""

from runs import Case

OURS, APART, ONE, TWO = "ts2021d", "ts2021d, nobody sees anybody", "ts2021d, 1 thread", "ts2021d, 2 threads"
BARE, TESTCONTROL, HEADSCALE = "bare Go", "testcontrol", "headscale"

MINUTE = 60  # of idling, in which everybody is sent a keep-alive


class Plan:
    """All sizes in one place; `quick` is for trying out, its figures mean nothing."""

    def __init__(self, quick, rounds=None):
        self.rounds = rounds or (1 if quick else 3)
        self.connects, self.registers = (100, 60) if quick else (1000, 500)
        self.rivals = 20 if quick else 200  # nodes that the slowest of them can take
        self.sizes = (30, 60, 120) if quick else (100, 200, 300, 1000, 3000, 5000, 10000)
        self.judged = (30, 120) if quick else (200, 1000, 5000, 10000)  # of them, for changes
        self.thousand = 60 if quick else 1000
        self.testcontrols = (60,) if quick else (500, 1000)  # further changes of testcontrol
        self.peers = 200 if quick else 5000  # in a full map
        self.storm = 100 if quick else 5000
        self.minute = 1 if quick else MINUTE
        settle = ("--settle", "0.3" if quick else "1")
        self.small = ("--hold", "0.5" if quick else "2", "--patience", "15", "--rounds", "3", *settle)
        self.alone = ("--apart", "--fold", "0", "--omit-peers", *settle)

    def cases(self):
        rounds, hold = self.rounds, ("--hold", self.small[1])
        out = [
            Case("connect", self.connects, (OURS, BARE), "connect", rounds=rounds),
            Case("register", self.registers, (OURS, TESTCONTROL, HEADSCALE, BARE), "register", rounds=rounds),
            Case("rivals", self.rivals, (OURS, TESTCONTROL, HEADSCALE), "join,idle,fan-out,storm,full-map", self.small, rounds, 200),
            Case("streams", self.thousand, (APART, BARE), "join,idle", (*self.alone, *hold), rounds),
            Case("full map", 20, (OURS, TESTCONTROL), "join,full-map", self.small, rounds, 200, registered=self.peers),
            Case("storm", self.storm, (APART, BARE), "join,storm", self.alone, rounds),
            Case("parts", self.sizes[-2], (APART,), "connect,register,join,idle", (*self.alone, *hold), rounds),
            Case("threads", self.thousand, (ONE, TWO), "join,fan-out,storm", self.small, rounds),
        ]
        # A short and a long idling of each size: a minute is too long for every round.
        for nodes in self.sizes:
            out.append(Case(f"grow {nodes}", nodes, (OURS,), "join,idle,fan-out,full-map", self.small, rounds, 400))
            out.append(Case(f"apart {nodes}", nodes, (APART,), "join,idle", (*self.alone, *hold), rounds))
        for nodes in (self.sizes[0], self.thousand, self.sizes[-1]):
            out.append(Case(f"minute {nodes}", nodes, (APART,), "join,idle", (*self.alone, "--hold", str(self.minute)), 1, 240))
        # All at once: joining one after the other would be a whole map for everybody every time.
        for nodes in self.testcontrols:
            out.append(Case(f"change {nodes}", nodes, (TESTCONTROL,), "register,join,fan-out",
                            ("--in-flight", str(nodes), "--rounds", "1", "--settle", "3", "--patience", "120"), 1, 300))
        return out
