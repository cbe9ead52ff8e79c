var e={release_notes:`{
  "idea": "Publish the notes of Lantern 2.4, a small web framework, so that users know what changed and how to upgrade",
  "tasks": [
    {"task_id": "1", "description": "Understand what changed"},
    {
      "task_id": "1_1",
      "description": "Sort the merged changes into features, fixes and breaking changes",
      "input": {
        "description": "The titles of all pull requests merged since 2.3",
        "parameters": {
          "version": "2.4.0",
          "merged": [
            "#812 Add streaming responses: return an async generator from a handler",
            "#815 Remove the deprecated App.mount_static; use App.mount instead",
            "#818 Fix: query parameters with a plus sign were decoded twice",
            "#821 Add App.health: a health endpoint with checks of one's own",
            "#824 Fix: a slow client could hold a database connection",
            "#829 Require Python 3.11",
            "#830 Fix: HEAD requests ran the handler's body"
          ]
        }
      },
      "output": {
        "description": "Every pull request once, under its kind",
        "artifact": "changes",
        "format": "JSON: { features: [{ number: integer, title }], fixes: [{ number: integer, title }], breaking: [{ number: integer, title }] }"
      },
      "validation": {
        "description": "Nothing is lost and nothing is made up",
        "criteria": [
          "Every pull request of the input appears exactly once",
          "Whatever can break a user's program is listed as breaking"
        ],
        "checks": [
          {
            "type": "json_schema",
            "schema": {
              "type": "object",
              "required": ["features", "fixes", "breaking"],
              "additionalProperties": false,
              "properties": {
                "features": {"$ref": "#/$defs/changes"},
                "fixes": {"$ref": "#/$defs/changes"},
                "breaking": {"$ref": "#/$defs/changes"}
              },
              "$defs": {
                "changes": {
                  "type": "array",
                  "minItems": 1,
                  "items": {
                    "type": "object",
                    "required": ["number", "title"],
                    "properties": {
                      "number": {"type": "integer", "minimum": 1},
                      "title": {"type": "string", "minLength": 1}
                    }
                  }
                }
              }
            }
          }
        ]
      }
    },
    {
      "task_id": "1_2",
      "description": "Name the people who made this release",
      "input": {
        "description": "Authors as the history has them, some of them under two names",
        "parameters": {"authors": ["Ada Moreno", "amoreno", "Jun Sato", "Priya N.", "Priya Nair"]}
      },
      "output": {
        "description": "Each person once, by their full name",
        "artifact": "people",
        "format": "JSON: { people: string[] }"
      },
      "validation": {
        "criteria": ["Nobody is named twice", "Nobody who is not in the input is named"],
        "checks": [{"type": "json"}, {"type": "required_keys", "keys": ["people"]}]
      }
    },
    {"task_id": "2", "description": "Write the parts", "dependencies": ["1"]},
    {
      "task_id": "2_1",
      "description": "Write the upgrade guide: for each breaking change what to look for and what to write instead",
      "input": {"description": "The sorted changes", "artifacts": ["changes"]},
      "output": {"description": "A section with one step for each breaking change", "artifact": "upgrade_guide", "format": "Markdown"},
      "validation": {
        "criteria": [
          "Contains 'Upgrading to 2.4' as its heading",
          "Each breaking change has a step of its own that says what to do"
        ],
        "checks": [
          {"type": "length", "min_chars": 200, "max_chars": 6000},
          {"type": "regex", "pattern": "(?i)\\\\b(TODO|TBD|lorem ipsum)\\\\b", "absent": true}
        ]
      }
    },
    {
      "task_id": "2_2",
      "description": "Write the highlights: the features in the words of somebody who uses them",
      "input": {"description": "The sorted changes", "artifacts": ["changes"]},
      "output": {"description": "One short paragraph for each feature", "artifact": "highlights", "format": "Markdown"},
      "validation": {
        "criteria": ["Each feature is described by what a user can do now", "Does not mention 'synergy' or 'game-changing'"],
        "checks": [{"type": "length", "min_chars": 100, "max_chars": 4000}]
      }
    },
    {
      "task_id": "3",
      "description": "Put the release notes together",
      "dependencies": ["2"],
      "input": {"description": "Everything written so far", "artifacts": ["highlights", "upgrade_guide", "changes", "people"]},
      "output": {"description": "The notes as they will be published", "artifact": "release_notes", "format": "Markdown"},
      "validation": {
        "description": "A user finds what concerns them within a minute",
        "criteria": [
          "Contains 'Lantern 2.4' and 'Thank you'",
          "Highlights come first, then the upgrade guide, then the fixes, then the people",
          "Every fix of the sorted changes is listed"
        ],
        "checks": [
          {"type": "regex", "pattern": "^# "},
          {"type": "length", "min_chars": 400, "max_chars": 12000}
        ]
      }
    },
    {"task_id": "4", "description": "Tell the world", "dependencies": ["3"]},
    {
      "task_id": "4_1",
      "description": "Write a post that fits into 500 characters",
      "input": {
        "artifacts": ["release_notes"],
        "parameters": {"link": "https://lantern.example/releases/2.4"}
      },
      "output": {"description": "Plain text with one link", "artifact": "post", "format": "Text"},
      "validation": {
        "criteria": ["Says 'Lantern 2.4'", "Names the one thing that most users will care about"],
        "checks": [
          {"type": "length", "min_chars": 40, "max_chars": 500},
          {"type": "regex", "pattern": "https://lantern\\\\.example/releases/2\\\\.4"}
        ]
      }
    },
    {
      "task_id": "4_2",
      "description": "Make the entry of the download page",
      "input": {
        "artifacts": ["release_notes", "changes"],
        "parameters": {"version": "2.4.0", "requires_python": ">=3.11"}
      },
      "output": {
        "description": "What the page shows beside the download",
        "artifact": "download_entry",
        "format": "JSON: { version, requires_python, summary, breaking: boolean }"
      },
      "validation": {
        "criteria": ["The summary can be understood without having read the notes"],
        "checks": [
          {
            "type": "json_schema",
            "schema": {
              "type": "object",
              "required": ["version", "requires_python", "summary", "breaking"],
              "properties": {
                "version": {"const": "2.4.0"},
                "requires_python": {"type": "string", "pattern": "^>=3\\\\.[0-9]+$"},
                "summary": {"type": "string", "minLength": 20, "maxLength": 200},
                "breaking": {"type": "boolean"}
              }
            }
          }
        ]
      }
    }
  ]
}
`,ai_trends:`{
  "tasks": [
    {
      "task_id": "0",
      "description": "Research and analyze the latest trends in AI technology",
      "dependencies": [],
      "stage": 1
    },
    {
      "task_id": "1",
      "description": "文献调研：调研2023-2024年AI领域最新进展与代表性工作",
      "dependencies": [
        "0"
      ],
      "stage": 2
    },
    {
      "task_id": "2",
      "description": "技术分析：梳理关键技术路线与架构演进",
      "dependencies": [
        "0"
      ],
      "stage": 2
    },
    {
      "task_id": "3",
      "description": "应用调研：分析AI在各行业的落地案例与效果",
      "dependencies": [
        "0"
      ],
      "stage": 2
    },
    {
      "task_id": "1_1",
      "description": "确定文献检索关键词与数据库范围",
      "dependencies": [
        "1"
      ],
      "input": {
        "description": "Parent task scope and research topic from task 1.",
        "artifacts": [
          "1.description or research scope"
        ],
        "parameters": []
      },
      "output": {
        "description": "Defined keywords and selected databases.",
        "artifact": "search_config",
        "format": "JSON: { keywords: string[], databases: string[] }"
      },
      "stage": 3
    },
    {
      "task_id": "2_1",
      "description": "梳理主流模型架构与演进路线",
      "dependencies": [
        "2"
      ],
      "input": {
        "description": "Tech scope from task 2",
        "artifacts": [],
        "parameters": []
      },
      "output": {
        "description": "Architecture evolution doc",
        "artifact": "arch_doc",
        "format": "Markdown"
      },
      "stage": 3
    },
    {
      "task_id": "3_1",
      "description": "收集各行业AI应用案例",
      "dependencies": [
        "3"
      ],
      "input": {
        "description": "App scope from 3",
        "artifacts": [],
        "parameters": []
      },
      "output": {
        "description": "Case list",
        "artifact": "cases",
        "format": "JSON"
      },
      "stage": 3
    },
    {
      "task_id": "1_2",
      "description": "检索并筛选2023-2024年AI领域核心论文",
      "dependencies": [
        "1_1"
      ],
      "input": {
        "description": "Search config from 1_1, research scope from 1.",
        "artifacts": [
          "search_config",
          "1.description"
        ],
        "parameters": []
      },
      "output": {
        "description": "Filtered list of core papers.",
        "artifact": "paper_list",
        "format": "JSON: { papers: [{ title, year, venue, abstract }] }"
      },
      "stage": 4
    },
    {
      "task_id": "1_4",
      "description": "整理行业报告与权威资料要点",
      "dependencies": [
        "1_1"
      ],
      "input": {
        "description": "Search config and scope.",
        "artifacts": [
          "search_config"
        ],
        "parameters": []
      },
      "output": {
        "description": "Key points from industry reports.",
        "artifact": "report_points",
        "format": "JSON: { points: [{ source, key_findings }] }"
      },
      "stage": 4
    },
    {
      "task_id": "2_2",
      "description": "对比关键技术指标与性能",
      "dependencies": [
        "2_1"
      ],
      "input": {
        "description": "Arch doc from 2_1",
        "artifacts": [
          "arch_doc"
        ],
        "parameters": []
      },
      "output": {
        "description": "Comparison table",
        "artifact": "comparison",
        "format": "JSON"
      },
      "stage": 4
    },
    {
      "task_id": "3_2",
      "description": "分析落地效果与挑战",
      "dependencies": [
        "3_1"
      ],
      "input": {
        "description": "Cases from 3_1",
        "artifacts": [
          "cases"
        ],
        "parameters": []
      },
      "output": {
        "description": "Effect analysis",
        "artifact": "analysis",
        "format": "JSON"
      },
      "stage": 4
    },
    {
      "task_id": "1_3",
      "description": "阅读并总结代表性论文的方法与结论",
      "dependencies": [
        "1_2"
      ],
      "input": {
        "description": "Paper list from 1_2.",
        "artifacts": [
          "paper_list"
        ],
        "parameters": []
      },
      "output": {
        "description": "Summaries of representative papers.",
        "artifact": "paper_summaries",
        "format": "JSON: { summaries: [{ paper_id, methods, conclusions }] }"
      },
      "stage": 5
    },
    {
      "task_id": "2_3",
      "description": "撰写技术分析报告",
      "dependencies": [
        "2_2"
      ],
      "input": {
        "description": "Arch and comparison",
        "artifacts": [
          "arch_doc",
          "comparison"
        ],
        "parameters": []
      },
      "output": {
        "description": "Tech analysis report",
        "artifact": "tech_report",
        "format": "Markdown"
      },
      "stage": 5
    },
    {
      "task_id": "3_3",
      "description": "撰写应用调研报告",
      "dependencies": [
        "3_2"
      ],
      "input": {
        "description": "Cases and analysis",
        "artifacts": [
          "cases",
          "analysis"
        ],
        "parameters": []
      },
      "output": {
        "description": "App research report",
        "artifact": "app_report",
        "format": "Markdown"
      },
      "stage": 5
    },
    {
      "task_id": "1_5",
      "description": "撰写文献综述报告",
      "dependencies": [
        "1_3"
      ],
      "input": {
        "description": "Paper summaries and report points.",
        "artifacts": [
          "paper_summaries",
          "report_points"
        ],
        "parameters": []
      },
      "output": {
        "description": "Literature review report.",
        "artifact": "literature_review",
        "format": "Markdown document"
      },
      "stage": 6
    },
    {
      "task_id": "4",
      "description": "趋势总结：归纳发展方向并撰写分析报告",
      "dependencies": [
        "1_5"
      ],
      "stage": 7
    },
    {
      "task_id": "4_1",
      "description": "归纳发展趋势与方向",
      "dependencies": [
        "4"
      ],
      "input": {
        "description": "All reports from 1,2,3",
        "artifacts": [
          "literature_review",
          "tech_report",
          "app_report"
        ],
        "parameters": []
      },
      "output": {
        "description": "Trend synthesis",
        "artifact": "trends",
        "format": "JSON"
      },
      "stage": 8
    },
    {
      "task_id": "4_2",
      "description": "撰写综合分析报告",
      "dependencies": [
        "4_1"
      ],
      "input": {
        "description": "Trends from 4_1",
        "artifacts": [
          "trends"
        ],
        "parameters": []
      },
      "output": {
        "description": "Final analysis report",
        "artifact": "final_report",
        "format": "Markdown"
      },
      "stage": 9
    }
  ],
  "idea": "Research and analyze the latest trends in AI technology"
}`};export{e as EXAMPLES};