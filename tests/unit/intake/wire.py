"""One agency report as it stands, as three desks print it, and another report on the same event."""

from __future__ import annotations

AGENCY = """\
MARLOW, Nov 23 - The foreign ministry of Veldania summoned the ambassador of Ostrau on Monday to protest against the
passage of two patrol boats through the Marlow strait, a narrow channel that both countries claim and that carries a
third of the region's grain.

The boats entered the channel shortly before dawn and stayed for four hours, the ministry said in a statement. It called
the passage a deliberate breach of an agreement that the two governments signed in the spring after eleven months of
talks.

Ostrau said that its crews had been looking for a fishing boat that had sent a distress call. "No line was crossed and
no rule was broken," its embassy said. "We would expect the same of any neighbour."

Grain traders paid little attention. Freight rates for the strait were unchanged at midday, and insurers said that they
had no plans to raise premiums unless ships were turned back. A harbour pilot in Marlow, who has taken vessels through
the channel for nineteen years, said that the morning had been foggy, and that in fog everybody's map was right.

The two foreign ministers are to meet in the capital of Veldania on Thursday, for the first time since the agreement."""

TRIMMED = """\
The foreign ministry of Veldania summoned the ambassador of Ostrau on Monday to protest the passage of two patrol boats
through the Marlow strait, a narrow channel that both countries claim and that carries a third of the region's grain.

The boats entered the channel shortly before dawn and stayed for four hours, the ministry said in a statement. It called
the passage a deliberate breach of an agreement that the two governments signed in the spring after 11 months of talks.

Ostrau said its crews had been looking for a fishing boat that had sent a distress call. "No line was crossed and no
rule was broken," its embassy said. "We would expect the same of any neighbor."

Grain traders paid little attention. Freight rates for the strait were unchanged at midday, and insurers said they had
no plans to raise premiums unless ships were turned back."""

WITH_A_TAIL = (
    AGENCY.partition(" - ")[2]
    + """

The channel has been quarrelled over since the lighthouse at its mouth was moved in a storm, ninety years ago. Our
correspondent adds that school classes in the harbour were let out early so that the children could count the boats.
"""
)

INSIDE_A_LONGER_PIECE = (
    """\
On Sunday evening the harbour master of Marlow locked his office and walked home along the sea wall, as he has done on
every Sunday since his wife died. He noticed nothing. He says so himself, with some annoyance, because noticing is what
he is paid for.

"""
    + TRIMMED
    + """

In the tavern below the wall the talk is of the lighthouse, of whose grandfather moved it, and of what a line on a chart
is worth when the water above it cannot be told apart. The innkeeper has hung both countries' charts on the wall, one
over the other, and a lamp behind them.

Nobody expects a war. What they expect is paperwork: new forms for the pilots, new flags for the buoys, and a commission
that will meet at the innkeeper's best table, order the fish, and leave without deciding anything. It has happened
before, the harbour master says, and the fish is really very good."""
)

ANOTHER_REPORT = """\
Veldania has called in the ambassador of Ostrau after two of that country's patrol boats sailed through the disputed
Marlow strait early on Monday, raising tension between the neighbours only months after they agreed on how to share it.

In a statement, the foreign ministry in Veldania accused Ostrau of breaking the spring accord on purpose. The embassy
denied it: the vessels, it said, had answered a call for help from a fishing crew, and had left once it was clear that
nobody was in danger.

The strait carries about a third of the grain shipped in the region. Markets were calm. Analysts said that a closure was
unlikely, since both economies live off the traffic, but that an accident in such narrow waters could not be ruled out.

A meeting of the two foreign ministers on Thursday will go ahead as planned, officials on both sides said."""

KOREAN = """\
벨다니아 외무부가 월요일 오스트라우 대사를 불러 순찰선 두 척이 말로 해협을 지난 데 항의했다. 두 나라가 서로 자기
바다라고 하는 이 좁은 물길로 지역 곡물의 삼분의 일이 지나간다.

외무부는 성명에서 순찰선이 동트기 직전에 들어와 네 시간을 머물렀다고 밝혔다. 두 정부가 열한 달을 이야기한 끝에 봄에
서명한 합의를 일부러 어긴 것이라고 했다.

오스트라우는 조난 신호를 보낸 어선을 찾고 있었다고 설명했다. 대사관은 어떤 선도 넘지 않았고 어떤 규칙도 어기지
않았다고 말했다. 이웃이라면 누구라도 그렇게 했을 것이라고 덧붙였다.

곡물 상인들은 별로 신경 쓰지 않았다. 해협의 운임은 정오까지 그대로였고 보험사들도 배가 되돌려 보내지지 않는 한
보험료를 올릴 계획이 없다고 했다."""

KOREAN_EDITED = KOREAN.replace("월요일 ", "23일 ").replace("덧붙였다", "강조했다").partition("해협의 운임은")[0]

JAPANESE = (
    "海峡を通った二隻の巡視船について、外務省は月曜日に大使を呼んで抗議した。霧の深い朝だったと水先人は話している。" * 2
)
